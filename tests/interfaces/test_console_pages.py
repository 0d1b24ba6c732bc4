"""The console's pages hold what the store holds, find what is looked for, and do what their buttons say."""

import gzip
from typing import Any

import pytest

from leadmill.delivery import list_receipts
from leadmill.flow.configure import apply_declared, declare
from leadmill.parties import Role, reads_of
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_console_doors import secret


async def test_every_page_of_the_console_answers(stage: Stage) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.ADMIN)
    tabs = [f"/leads/{taken['lead_id']}?tab={tab}" for tab in ("why", "deliveries", "consent", "events", "raw")]
    pages = [
        "/leads",
        "/review",
        "/nurture",
        "/people",
        "/fraud",
        "/fraud?vertical=solar&days=90",
        "/auctions",
        "/orders",
        "/markets",
        "/markets/solar",
        "/markets/legal",
        "/sources",
        "/buyers",
        "/teams",
        "/deliveries",
        "/imports",
        "/what-if",
        "/providers",
        "/users",
    ]
    for path in [*pages, *tabs, f"/leads/{taken['lead_id']}/drawer", "/docs", "/openapi.json", "/f/solar-quote"]:
        reply = await client.get(path)
        assert reply.status == 200, (path, reply.text[:2000])
        assert "style=" not in reply.text and "<script>" not in reply.text and "onclick" not in reply.text, path


async def test_the_lead_page_tells_why(stage: Stage) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.OPERATOR)
    text = (await client.get(f"/leads/{taken['lead_id']}")).text
    for said in (
        "sold to Helio Solar LLC for $65.00",
        "Won",
        "The order is closed at",
        "Helio Solar LLC got the lead",
        "revenue:sales",
    ):
        assert said in text, said


async def test_an_order_is_asked_after_on_the_lead_s_page(stage: Stage) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.OPERATOR)
    page, order = f"/leads/{taken['lead_id']}", "helio-ca"
    asked = (await client.get(f"{page}?tab=why&order={order}")).text
    assert f"<strong>{order}</strong> of Helio Solar LLC" in asked and "it won." in asked
    assert f'<option value="{order}">' in asked, "names are offered"
    unknown = (await client.get(f"{page}/drawer?tab=why&order=%3Cb%3Enobodys")).text
    assert "The rules of that time had no order &lt;b&gt;nobodys for such leads." in unknown
    nothing = await stage.send({**solar(2), "fields": {}})
    assert "Ask after an order" not in (await client.get(f"/leads/{nothing['lead_id']}")).text


@pytest.mark.parametrize(
    ("typed", "to"),
    [
        ("state:sold score>60", "/leads?state=sold&min=61"),
        ("source:acme-media since:2026-11-01", "/leads?source=acme-media&since=2026-11-01"),
        ("lead_01k8x2m3n4p5q6r7s8t9v0w1x2", "/leads/lead_01k8x2m3n4p5q6r7s8t9v0w1x2"),
    ],
)
async def test_what_is_typed_becomes_an_address(stage: Stage, typed: str, to: str) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    reply = await client.post("/leads/search", {"_csrf": await secret(client), "q": typed})
    assert (reply.status, reply.headers["location"]) == (303, to)


@pytest.mark.parametrize("typed", ["ANA.RUIZ@gmail.com", "(415) 601-2300", "+1 415 601 2300"])
async def test_a_person_is_found_by_exact_contact_and_it_never_stands_in_an_address(stage: Stage, typed: str) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.OPERATOR)
    reply = await client.post("/leads/search", {"_csrf": await secret(client), "q": typed})
    assert reply.headers["location"].startswith("/leads?person=person_")
    assert taken["lead_id"] in (await client.get(reply.headers["location"])).text
    nobody = await client.post("/leads/search", {"_csrf": await secret(client), "q": "nobody.here@gmail.com"})
    assert nobody.status == 200 and "Nobody has this e-mail address" in nobody.text


async def test_words_that_mean_nothing_are_said_to_mean_nothing(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    reply = await client.post("/leads/search", {"_csrf": await secret(client), "q": "Ruiz <b>"})
    assert "is nothing to search by" in reply.text and "<b>&" not in reply.text and "&lt;b&gt;" in reply.text


async def test_a_list_tells_nothing_from_nothing_here(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    assert "No leads yet" in (await client.get("/leads")).text
    await stage.send(solar())
    assert "No lead fits these filters" in (await client.get("/leads?vertical=mortgage")).text
    assert "Nothing to review" in (await client.get("/review")).text


async def test_every_read_in_the_console_is_noted(stage: Stage) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.COMPLIANCE)
    await client.get("/leads")
    await client.get(f"/leads/{taken['lead_id']}?tab=raw")
    await client.get(f"/leads/{taken['lead_id']}/drawer")
    async with stage.house.db.begin() as tx:
        reads = await reads_of(tx, taken["lead_id"])
    assert {read.what for read in reads} == {"list", "page raw", "drawer why"}


async def waiting(stage: Stage) -> str:
    """A lead that nobody has sold yet because its score is low."""
    body = solar(3)
    body["fields"] = {"first_name": "Jo", "email": "jo.thin@gmail.com", "zip": "94110"}
    taken = await stage.send(body)
    assert taken["status"] == "accepted", taken
    return str(taken["lead_id"])


async def test_an_approved_lead_walks_on_to_the_market(stage: Stage) -> None:
    lead_id = await waiting(stage)
    client = await stage.signed_in(Role.OPERATOR)
    page = (await client.get("/nurture")).text
    assert lead_id in page and ">Approve<" in (await client.get(f"/leads/{lead_id}")).text
    reply = await client.post(f"/leads/{lead_id}/approve", {"_csrf": await secret(client), "why": "called her"})
    assert (reply.status, reply.headers["location"]) == (303, f"/leads/{lead_id}?done=approved")
    text = (await client.get(f"/leads/{lead_id}")).text
    assert "Approve<" not in text and "Offered to the market" in text and "called her" in text
    again = await client.post(f"/leads/{lead_id}/approve", {"_csrf": await secret(client)})
    assert again.status == 409 and "Somebody was quicker" in again.text


async def test_a_rejected_lead_ends_with_the_reason_given(stage: Stage) -> None:
    lead_id = await waiting(stage)
    client = await stage.signed_in(Role.COMPLIANCE)
    await client.post(f"/leads/{lead_id}/reject", {"_csrf": await secret(client), "why": "a joke"})
    assert "A person looked at it and let it go: a joke" in (await client.get(f"/leads/{lead_id}")).text


async def test_an_outcome_is_recorded_on_the_lead(stage: Stage) -> None:
    lead_id = (await stage.send(solar()))["lead_id"]
    client = await stage.signed_in(Role.OPERATOR)
    csrf = await secret(client)
    reply = await client.post(f"/leads/{lead_id}/outcome", {"_csrf": csrf, "disposition": "appointment"})
    assert reply.status == 303
    assert "Appointment</b>" in (await client.get(f"/leads/{lead_id}?tab=deliveries")).text
    wrong = await client.post(f"/leads/{lead_id}/outcome", {"_csrf": csrf, "disposition": "eaten"})
    assert wrong.status == 400


async def deliver_dead(stage: Stage) -> tuple[str, str]:
    """A lead whose delivery is over: its buyer's folder is gone, say. Here it is simply marked so."""
    lead_id = (await stage.send(solar()))["lead_id"]
    async with stage.house.db.begin() as tx:
        [receipt] = await list_receipts(tx)
        await tx.conn.execute("UPDATE delivery SET state = 'dead', done_at = now(), next_at = NULL, attempts = 5")
    return lead_id, receipt.delivery_id


async def test_a_dead_delivery_starts_again_when_asked(stage: Stage) -> None:
    lead_id, delivery_id = await deliver_dead(stage)
    client = await stage.signed_in(Role.OPERATOR)
    csrf = await secret(client)
    page = (await client.get("/deliveries?state=dead")).text
    assert delivery_id in page
    reply = await client.post(
        f"/deliveries/{delivery_id}/resend", {"_csrf": csrf, "back": f"/leads/{lead_id}?tab=deliveries"}
    )
    assert reply.headers["location"] == f"/leads/{lead_id}?tab=deliveries&done=resent"
    async with stage.house.db.begin() as tx:
        assert (await list_receipts(tx))[0].state == "retrying"
    assert "Sent again" in (await client.get(f"/leads/{lead_id}")).text
    again = await client.post(f"/deliveries/{delivery_id}/resend", {"_csrf": csrf})
    assert again.status == 409


async def test_many_deliveries_start_again_at_once(stage: Stage) -> None:
    _, delivery_id = await deliver_dead(stage)
    client = await stage.signed_in(Role.OPERATOR)
    fields: dict[str, Any] = {"_csrf": await secret(client), "delivery": [delivery_id, "dlv_nothing"]}
    reply = await client.post("/deliveries/resend", fields)
    assert reply.headers["location"] == "/deliveries?done=resent_many"
    reply = await client.post("/deliveries/resend", {"_csrf": fields["_csrf"]})
    assert reply.headers["location"] == "/deliveries?done=none_chosen"


async def test_an_operator_is_added_changed_and_locked_out(stage: Stage) -> None:
    client = await stage.signed_in(Role.ADMIN)
    csrf = await secret(client)
    weak = await client.post(
        "/users", {"_csrf": csrf, "name": "New", "email": "new@example.com", "role": "analyst", "password": "x"}
    )
    assert weak.status == 422 and 'value="new@example.com"' in weak.text
    good = {
        "_csrf": csrf,
        "name": "New",
        "email": "new@example.com",
        "role": "analyst",
        "password": "a very long pass phrase",
    }
    assert (await client.post("/users", good)).headers["location"] == "/users?done=added"
    page = (await client.get("/users")).text
    operator_id = page.partition("new@example.com")[2].partition('action="/users/')[2].partition('"')[0]
    assert (await client.post(f"/users/{operator_id}", {"_csrf": csrf, "role": "operator"})).status == 303
    assert (await client.post(f"/users/{operator_id}", {"_csrf": csrf, "standing": "disable"})).status == 303
    newcomer = stage.client()
    await newcomer.get("/sign-in")
    fields = {"_csrf": newcomer.cookies["leadmill_before"], "email": "new@example.com", "password": good["password"]}
    assert (await newcomer.post("/sign-in", fields)).status == 401


async def test_the_last_administrator_stays_one(stage: Stage) -> None:
    client = await stage.signed_in(Role.ADMIN)
    page = (await client.get("/users")).text.partition("<tbody>")[2]
    me = page.partition("mara@example.com")[2].partition('action="/users/')[2].partition('"')[0]
    reply = await client.post(f"/users/{me}", {"_csrf": await secret(client), "role": "analyst"})
    assert reply.status == 422 and "somebody else an admin first" in reply.text


async def test_static_files_are_kept_by_browsers_as_long_as_they_are_the_same(stage: Stage) -> None:
    client = await stage.signed_in(Role.ANALYST)
    page = (await client.get("/leads")).text
    sheet = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    reply = await client.get(sheet)
    if reply.status == 404:
        pytest.skip("the web assets are not built: make setup")
    assert "immutable" in reply.headers["cache-control"]
    packed = await client.get(sheet, **{"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip" and gzip.decompress(packed.body) == reply.body
    assert (await client.get(sheet, **{"if-none-match": reply.headers["etag"]})).status == 304
    assert (await client.get("/static/..%2fdesk.py")).status == 404


async def test_a_buyers_page_tells_each_orders_day_in_words_and_as_a_table(stage: Stage) -> None:
    await stage.send(solar())
    client = await stage.signed_in(Role.ANALYST)
    page = (await client.get("/buyers/helio")).text
    assert "Helio Solar LLC" in page and '<svg class="stairs"' in page
    assert " today" in page and "As a table" in page and "Weak hash" in page
    assert (await client.get("/buyers/nobody")).status == 404


async def test_the_auctions_page_tells_who_won_and_why_others_did_not(stage: Stage) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.ANALYST)
    page = (await client.get("/auctions?vertical=solar")).text
    assert f"/leads/{taken['lead_id']}" in page and "Helio Solar LLC" in page and "$65.00" in page
    assert "orders considered" in page or "The order" in page
    assert (await client.get("/auctions?vertical=mortgage")).text.count("row-link") == 0
    assert (await client.get("/auctions?cursor=x")).status == 400


async def test_a_market_s_page_tells_its_terms_in_words_and_how_they_came_to_be(stage: Stage) -> None:
    client = await stage.signed_in(Role.ADMIN)
    async with stage.house.db.begin() as tx:
        for floor, more in (("12.00", {}), ("15.00", {"second_price": True, "reserve": "20.00"})):
            table = declare("market", {"vertical": "solar", "floor": floor, **more}, "test")
            await apply_declared(
                tx,
                [table],
                author="ana",
                now=stage.house.clock(),
                mint=stage.house.mint,
                keyed_hash=stage.house.vault.keyed_hash,
                environ=stage.house.environ,
                verticals=stage.house.book.walk().rules.verticals,
            )
    await stage.house.book.refresh(stage.house.db)
    await stage.send(solar())
    text = (await client.get("/markets/solar")).text
    for said in (
        "To what pays most",
        "what the next best offered",
        "<dd>$15.00</dd>",
        "<dd>$20.00</dd>",
        "floor: 12.00 → 15.00",
        "Created by ana",
        "1,500 ms from the lead",
        "fewer than thirty suggest nothing",
        "Acme Media",
    ):
        assert said in text, said
    row = (await client.get("/markets")).text
    assert '<a class="row-link" href="/markets/solar">' in row and "What the next best offered" in row


async def test_a_market_whose_pack_bars_ranking_by_payment_says_so_in_the_packs_words(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    text = (await client.get("/markets/legal")).text
    assert "Nobody’s place is paid for" in text and "Ranked by" in text and "every lead" in text
    assert "No <code>[[market]]</code> is declared for it" in text
    assert (await client.get("/markets/nothing")).status == 404
