"""The buyers' stand-ins over real sockets: Leadmill's own couriers speak to them and understand their answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from random import Random

import aiohttp
import aiosmtplib
import pytest

from leadmill.core.conversation import HttpAsk
from leadmill.core.faults import Transient
from leadmill.delivery import Courier, DeliverySpec, Outcome, Parcel, read_answer, read_delivery, read_fault
from leadmill.runtime.addresses import Reach
from leadmill.runtime.http import Http
from leadmill_demo import environment
from leadmill_demo.behaviour import MANNERS, Act, Manner, answer, choose
from leadmill_demo.outcomes import Taken
from leadmill_demo.world import Running, World, start
from leadmill_plugins.couriers.http import courier as http
from leadmill_plugins.couriers.webhook import courier as webhook
from tests.demo.business import planned

COURIERS: dict[str, Courier] = {"http": http, "webhook": webhook}
HOST = "127.0.0.1"
LEAD = "lead_01k8abcdefghjkmnpqrstvwxyz"
NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


def behaving(act: Act) -> dict[str, Manner]:
    """Every buyer, always acting the same."""
    return {buyer: manner._replace(odds={act: 1.0}, every=0) for buyer, manner in MANNERS.items()}


@asynccontextmanager
async def world_of(act: Act = "accept") -> AsyncIterator[tuple[World, Running, list[Taken]]]:
    taken: list[Taken] = []
    world = World(Random(1), environment(), taken.append, manners=behaving(act))
    running = await start(world, HOST, 0, 0)
    try:
        yield world, running, taken
    finally:
        await running.stop()


def spec_of(buyer: str, port: int) -> DeliverySpec:
    party = planned(port).parties["buyer", buyer]
    return read_delivery(party.delivery)  # type: ignore[union-attr]


def parcel_for(buyer: str, serial: str = "1") -> Parcel:
    return Parcel(
        delivery_id=f"dlv_{serial}",
        lead_id=LEAD,
        sale_id="sale_01k8abcdefghjkmnpqrstvwxyz",
        recipient=buyer,
        vertical=MANNERS[buyer].vertical,
        created_at=NOW,
        received_at=NOW,
        price="20.00",
        fields={"first_name": "Ana", "last_name": "O'Brien & Li", "email": "ana@example.com", "phone": "+14155552345"},
        consent={"kind": "written", "text": "I agree that <b>Helio</b> may call."},
        context={"ip": "192.0.2.7"},
    )


async def deliver(buyer: str, port: int, serial: str = "1", secrets: dict[str, str] | None = None) -> Outcome:
    """One attempt, just as the worker makes it."""
    spec, parcel = spec_of(buyer, port), parcel_for(buyer, serial)
    courier = COURIERS[spec.courier]
    ask = courier.ask(spec, parcel)
    assert isinstance(ask, HttpAsk)
    async with Http(Reach(loopback=True), secrets or environment(), lambda: datetime.now(UTC)) as client:
        try:
            return courier.read(spec, parcel, await client.perform(ask))
        except Transient as fault:
            return read_fault(fault)


@pytest.mark.parametrize("buyer", sorted(MANNERS))
async def test_a_buyer_understands_what_leadmill_sends_it_and_is_understood(buyer: str) -> None:
    async with world_of() as (world, running, taken):
        told = await deliver(buyer, running.port)
        assert told.kind == "accepted"
        assert taken == [Taken(buyer, MANNERS[buyer].vertical, LEAD)]
        assert world.deliveries[-1].signed is (
            True if f"DEMO_HOOK_{buyer.upper().replace('-', '_')}" in environment() else None
        )


@pytest.mark.parametrize("buyer", sorted(MANNERS))
@pytest.mark.parametrize(
    ("act", "kind", "code"),
    [
        ("slow", "accepted", "delivery.buyer.accepted"),
        ("reject", "rejected", "delivery.buyer.rejected"),
        ("duplicate", "rejected", "delivery.buyer.duplicate"),
        ("malformed", "retry", ""),
        ("html", "retry", ""),
    ],
)
def test_every_answer_means_what_it_says(buyer: str, act: Act, kind: str, code: str) -> None:
    manner = MANNERS[buyer]
    if act in ("malformed", "html") and act not in manner.odds:
        return
    said = answer(manner, act, manner.reasons[0], "H123456")
    told = read_answer(spec_of(buyer, 8081), parcel_for(buyer), said.status, said.media, said.body.encode())
    assert told.kind == kind
    if code:
        assert told.code == code
    if act == "reject":
        assert told.because is not None and manner.reasons[0].split()[0] in told.because.message


@pytest.mark.parametrize(("act", "code"), [("error", "http.server.failed"), ("busy", "http.server.busy")])
async def test_a_buyer_in_trouble_is_tried_again(act: Act, code: str) -> None:
    async with world_of(act) as (_, running, taken):
        told = await deliver("sunfallow", running.port)
        assert told.kind == "retry" and told.code.startswith("http.")
        assert (told.after is not None) == (act == "busy")
        assert not taken


async def test_a_buyer_that_never_answers_keeps_nobody_waiting_at_the_end() -> None:
    async with world_of("timeout") as (world, running, taken), aiohttp.ClientSession() as session:
        with pytest.raises(TimeoutError):
            await session.post(
                f"http://{HOST}:{running.port}/buyers/calder-hill/crm",
                data=b"x=1",
                timeout=aiohttp.ClientTimeout(total=0.2),
            )
        assert world.deliveries[-1].act == "timeout" and not taken


async def test_the_same_delivery_twice_gets_the_same_answer_and_counts_once() -> None:
    async with world_of() as (world, running, taken):
        first = await deliver("cobalt-gate", running.port)
        world.manners = behaving("reject")
        assert (await deliver("cobalt-gate", running.port)).buyer_ref == first.buyer_ref
        assert [one.again for one in world.deliveries] == [False, True]
        assert (await deliver("cobalt-gate", running.port, serial="2")).kind == "rejected"
        assert len(taken) == 1


async def test_a_wrong_signature_is_turned_away() -> None:
    async with world_of() as (world, running, taken):
        secrets = environment() | {"DEMO_HOOK_RIDGEBEAM": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
        assert (await deliver("ridgebeam", running.port, secrets=secrets)).status == 401
        assert world.deliveries[-1].signed is False and not taken


def test_an_outage_comes_and_goes() -> None:
    manner = MANNERS["desert-kestrel"]._replace(odds={})
    acts = [choose(manner, Random(1), float(second)) for second in range(0, manner.every, 10)]
    assert acts[0] == "error" and acts[-1] == "accept" and acts.count("error") == manner.down // 10


async def test_mail_is_kept_to_be_read_and_a_lead_by_mail_is_taken() -> None:
    async with world_of() as (world, running, taken), aiohttp.ClientSession() as session:
        letter = EmailMessage()
        letter["From"], letter["To"] = "leads@brookmill.example.com", "intake@corbel-street.example.com"
        letter["Subject"] = f"New legal enquiry {LEAD}"
        letter.set_content("first_name: <script>alert(1)</script>")
        letter.add_attachment(b'{"a": "<b>"}', maintype="application", subtype="json", filename="lead.json")
        await aiosmtplib.send(letter, hostname=HOST, port=running.smtp_port, start_tls=False)
        assert taken == [Taken("corbel-street", "legal", LEAD)]
        async with session.get(f"http://{HOST}:{running.port}/mail") as page:
            assert LEAD in await page.text()
        async with session.get(f"http://{HOST}:{running.port}/mail/1") as page:
            html = await page.text()
        assert "&lt;script&gt;" in html and "<script>" not in html and "lead.json" in html
        async with session.get(f"http://{HOST}:{running.port}/mail/9") as page:
            assert page.status == 404
        assert world.inbox.count == 1


async def test_a_full_mailbox_refuses() -> None:
    async with world_of() as (world, running, _):
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = "a@example.com", "ana177@example.com", "Hello"
        letter.set_content("Hello")
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await aiosmtplib.send(letter, hostname=HOST, port=running.smtp_port, start_tls=False)
        assert refused.value.recipients[0].code == 552
        assert world.inbox.count == 0 and world.inbox.refused == 1


async def test_the_pages_show_what_came_and_run_nothing_of_it() -> None:
    async with world_of() as (_, running, _), aiohttp.ClientSession() as session:
        base = f"http://{HOST}:{running.port}"
        await session.post(f"{base}/buyers/rooftree/jobs", json={"lead_id": LEAD, "name": "<script>alert(1)</script>"})
        for path in ("/", "/buyers/rooftree", "/mail", "/buyers/nobody"):
            async with session.get(f"{base}{path}") as page:
                html = await page.text()
                assert page.status == (404 if path.endswith("nobody") else 200)
                assert "<script" not in html and page.headers["Content-Security-Policy"].startswith(
                    "default-src 'none'"
                )
                assert (LEAD in html) == (path in ("/", "/buyers/rooftree"))
        async with session.get(f"{base}/style.css") as style:
            assert style.content_type == "text/css" and "light dark" in await style.text()


async def test_memory_keeps_the_latest_only() -> None:
    async with world_of() as (world, running, _), aiohttp.ClientSession() as session:
        for number in range(450):
            url = f"http://{HOST}:{running.port}/buyers/rooftree/jobs"
            async with session.post(url, data=b"n=%d" % number, headers={"Idempotency-Key": str(number)}):
                pass
        assert len(world.deliveries) == 400 and world.deliveries[-1].body == "n=449"
        assert world.counts["rooftree"]["accept"] == 450
