"""“What if” in the console: a change is checked at once, tried by the worker, and told in leads and money."""

from leadmill.flow.trials import TRY, make_trial
from leadmill.interfaces.worker import workers
from leadmill.parties import Role
from leadmill.runtime.jobs import claim
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_console_doors import secret

DEARER = """
[[order]]
id = "helio-ca"
buyer = "helio"
vertical = "solar"
price = "90.00"
"""


async def work(stage: Stage) -> None:
    """What the worker does with the trials that wait."""
    now = stage.house.clock()
    async with stage.house.db.begin() as tx:
        jobs = await claim(tx, [TRY], now, now, 5)
    make = make_trial(stage.house.db, stage.house.pen, stage.house.book, stage.house.packs)
    for job in jobs:
        await make(job)


async def test_a_change_is_tried_on_the_leads_that_came(stage: Stage) -> None:
    taken = await stage.send(solar())
    client = await stage.signed_in(Role.OPERATOR)
    reply = await client.post("/what-if", {"_csrf": await secret(client), "text": DEARER, "days": "7"})
    assert reply.status == 303
    place = reply.headers["location"]
    waiting = (await client.get(place)).text
    assert "0 of 1 leads decided again" in waiting and "hx-trigger" in waiting
    await work(stage)
    page = (await client.get(place)).text
    assert "+$25.00" in page and taken["lead_id"] in page and "Helio Solar LLC" in page
    assert "order helio-ca" in (await client.get("/what-if")).text
    again = (await client.get(f"/what-if?again={place.rsplit('/', 1)[1]}")).text
    assert "price = &#34;90.00&#34;" in again


async def test_what_is_wrong_with_a_change_is_said_at_once(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    for text, says in (
        ("[[order]\n", "at line 1"),
        ("", "write what is to change"),
        ('[[order]]\nid = "x"\nbuyer = "helio"\nvertical = "solar"\nprise = "1.00"\n', "prise"),
    ):
        reply = await client.post("/what-if", {"_csrf": await secret(client), "text": text, "days": "7"})
        assert reply.status == 422 and says in reply.text, reply.text


async def test_the_text_begins_with_the_order_as_it_stands(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    page = (await client.get("/what-if?order=helio-ca")).text
    assert "id = &#34;helio-ca&#34;" in page and "price = &#34;65.00&#34;" in page


async def test_only_who_may_configure_may_try(stage: Stage) -> None:
    client = await stage.signed_in(Role.ANALYST)
    assert "Try it" not in (await client.get("/what-if")).text
    refused = await client.post("/what-if", {"_csrf": await secret(client), "text": DEARER, "days": "7"})
    assert refused.status == 403
    assert (await client.get("/what-if/trial_nothing")).status == 404


async def test_the_worker_takes_trials_up(stage: Stage) -> None:
    assert any(TRY in worker.handlers for worker in workers(stage.house))


async def test_a_change_that_names_a_bidder_nobody_installed_is_refused_at_once(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    text = DEARER + 'ping = { url = "https://helio.example/ping", bidder = "htp" }\n'
    reply = await client.post("/what-if", {"_csrf": await secret(client), "text": text, "days": "7"})
    assert reply.status == 422
    assert "did you mean &#39;http&#39;?" in reply.text
