"""“Scores” in the console: a card seen at work, tried, put in force, gone back to; a lead scored otherwise."""

from typing import Any

from leadmill.flow.fates import refresh_tiers
from leadmill.parties import Role
from leadmill.scoring import TIERS
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_console_doors import secret
from tests.interfaces.test_trials import work


async def test_a_card_is_tried_and_put_in_force_with_who_and_why(stage: Stage) -> None:
    lead = await stage.send(solar(1))
    client = await stage.signed_in(Role.OPERATOR)
    assert "the pack’s, version" in (await client.get("/scores")).text
    page = (await client.get("/scores/solar")).text
    row = page.partition("<code>owns</code>")[2].partition("</tr>")[0]
    assert '<td class="num">+10</td><td class="num">1</td>' in row
    assert 'href="/scores/solar/tiers"' in page
    assert "Nothing is counted yet" in (await client.get("/scores/solar/tiers")).text
    await refresh_tiers(stage.house.db, {"solar": (TIERS, "USD")}, stage.house.clock())
    tiers = (await client.get("/scores/solar/tiers")).text
    assert "Too few were sold to tell a price band." in tiers and "tier=A" in tiers
    assert (await client.get("/scores/unheard/tiers")).status == 404
    text = page.partition('aria-describedby="about-text">')[2].partition("</textarea>")[0]
    text = text.replace("&#34;", '"').replace("&#39;", "'").replace("&gt;", ">").replace("&lt;", "<")
    changed = text.replace("sell_from = 40", "sell_from = 99", 1)
    assert changed != text
    wrong = await client.post("/scores/solar/try", {"_csrf": await secret(client), "text": text + "\nsels = 1\n"})
    assert wrong.status == 422 and "sels" in wrong.text
    reply = await client.post("/scores/solar/try", {"_csrf": await secret(client), "text": changed})
    place = reply.headers["location"]
    assert "Put it in force" not in (await client.get(place)).text
    await work(stage)
    trial = (await client.get(place)).text
    assert "Sell→nurture" in trial and lead["lead_id"] in trial and "Put it in force" in trial
    fields: dict[str, Any] = {"_csrf": await secret(client), "why": "only the best"}
    adopted = await client.post(f"{place}/adopt", fields)
    assert adopted.headers["location"].startswith("/scores/solar")
    assert (await stage.send(solar(2)))["status"] != "sold"
    page = (await client.get("/scores/solar")).text
    assert "only the best" in page and "leads are sold from 99" in page
    assert 'aria-label="Try revision 0 again"' in page

    analyst = await stage.signed_in(Role.ANALYST)
    assert "Change it" not in (await analyst.get("/scores/solar")).text
    refused = await analyst.post("/scores/solar/try", {"_csrf": await secret(analyst), "revision": "0"})
    assert refused.status == 403
    assert (await analyst.get("/scores/nothing")).status == 404


async def test_a_lead_is_scored_as_if_something_about_it_were_otherwise(stage: Stage) -> None:
    lead = (await stage.send(solar(1)))["lead_id"]
    client = await stage.signed_in(Role.OPERATOR)
    before = (await client.get(f"/leads/{lead}")).text
    assert "Score it" in before and '<option value="homeowner">' in before
    page = (await client.get(f"/leads/{lead}?tab=why&field=homeowner&value=no")).text
    told = page.partition('id="tried"')[2]
    row = told.partition("does not own the home")[2].partition("</tr>")[0]
    assert "-30" in row and "bad-text" in row
    assert "owns the home" in told and "homeowner Yes" in told
    for field, value, says in (
        ("nonsense", "1", "looks at nonsense"),
        ("monthly_bill", "many", "cannot be monthly_bill"),
    ):
        assert says in (await client.get(f"/leads/{lead}?tab=why&field={field}&value={value}")).text
    hidden = await stage.signed_in(Role.ANALYST)
    assert "points</strong>" in (await hidden.get(f"/leads/{lead}?tab=why&field=email.free&value=")).text
