"""Reviews of cards on the page “Scores”: one waits for a person, is dismissed or tried and taken up; what is laid over
a card is told with it."""

from leadmill.parties import Role
from tests.flow.stage import apply
from tests.flow.test_card_reviews import kept, points
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_console_doors import secret
from tests.interfaces.test_trials import work


async def test_a_review_waits_on_the_page_until_it_is_dismissed_or_taken_up_from_its_trial(stage: Stage) -> None:
    await apply(stage.house, {"adjustment": [
        {"id": "slump", "vertical": "solar", "points": -4, "says": "nobody buys just now", "until": "2020-01-01"}
    ]})  # fmt: skip
    await stage.send(solar(1))
    one = await kept(stage.house)
    client = await stage.signed_in(Role.OPERATOR)
    assert "A review waits" in (await client.get("/scores")).text
    page = (await client.get("/scores/solar")).text
    assert "Waits for you" in page and "does not own the home" in page.partition('id="reviews"')[2]
    over = page.partition('id="over"')[2]
    assert "nobody buys just now" in over and "2020-01-01" in over and '<span class="badge ">Over</span>' in over
    silent = await client.post(f"/scores/solar/reviews/{one.id}/dismiss", {"_csrf": await secret(client), "why": " "})
    assert silent.status == 400 and "ay why" in silent.text
    fields = {"_csrf": await secret(client), "why": "a strange month"}
    assert (await client.post(f"/scores/solar/reviews/{one.id}/dismiss", fields)).status == 303
    page = (await client.get("/scores/solar")).text
    assert "a strange month" in page and "Waits for you" not in page

    one = await kept(stage.house)
    reply = await client.post(f"/scores/solar/reviews/{one.id}/try", {"_csrf": await secret(client)})
    place = reply.headers["location"]
    await work(stage)
    assert "Put it in force" in (await client.get(place)).text
    await client.post(f"{place}/adopt", {"_csrf": await secret(client), "why": "renters do buy"})
    page = (await client.get("/scores/solar")).text
    assert "Taken up" in page and "renters do buy" in page
    assert (await points(stage.house))["rents"] > -30

    analyst = await stage.signed_in(Role.ANALYST)
    refused = await analyst.post(f"/scores/solar/reviews/{one.id}/try", {"_csrf": await secret(analyst)})
    assert refused.status == 403
