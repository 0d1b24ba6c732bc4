"""Telling the person and the recipient: who is told, in which words, and how sending ends."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from leadmill.capture import Lead
from leadmill.core.case import NOTHING, Case
from leadmill.core.conversation import MailAsk, MailReply, Outgoing, Reply
from leadmill.core.faults import BadInput, Permanent, Transient
from leadmill.core.money import Money
from leadmill.core.reasons import because
from leadmill.core.verdicts import Pass, Rule
from leadmill.facts import Dossier
from leadmill.facts.model import Fact
from leadmill.followup import (
    Followups,
    MessageFailed,
    MessageRetrying,
    MessageSent,
    Plan,
    Sending,
    SendOutcome,
    Templates,
    compose_letter,
    defer_sending,
    keep_followups,
    messages_of,
    plan_sending,
    read_sent,
    read_templates,
    sent_lately,
    settle_sending,
)
from leadmill.followup.rules import given_name, read_messages
from leadmill.market import Assignment, Leg, Mode, Sale
from leadmill.parties import Alert, Buyer, Rep, Roster, Team
from leadmill.policy import Clearance
from leadmill.policy.model import DENIED
from leadmill.runtime.db import Database
from leadmill.runtime.jobs import JOB
from leadmill.runtime.packs import load_packs
from leadmill.runtime.plugins import find_plugins

TEMPLATES = read_templates(load_packs())
MESSENGERS = find_plugins(("leadmill.messengers",)).of("leadmill.messengers")
ROSTER = Roster(
    buyers={
        "helio": Buyer(id="helio", name="Helio Solar LLC", alert=Alert("desk@helio.example")),
        "quiet": Buyer(id="quiet", name="Quiet"),
    },
    teams={
        "west": Team(
            id="west", name="West", reps=(Rep(id="ana", email="ana@mill.example", name="Ana"), Rep(id="bo", email="")),
            alert=Alert("west@mill.example"),
        )
    },
)  # fmt: skip
OPEN = Clearance(channels={"call": None, "email": None}, cleared=["helio"], refused={})
SHUT = Clearance(channels={"email": because(DENIED, says="no", rule="r")}, cleared=["helio"], refused={})
SALE = Sale(
    id="sale_1", mode=Mode.SHARED, currency="USD",
    legs=(Leg("sale_1", "o", "helio", Money(1)), Leg("sale_2", "p", "quiet", Money(1))),
)  # fmt: skip
AT = datetime.fromisoformat("2026-03-04T15:00:00Z")


def a_lead(email: str | None = "eve@example.com", test: bool = False, **fields: Any) -> Lead:
    known = {"first_name": "Eve", "phone": "+14155550123", **fields} | ({"email": email} if email else {})
    return Lead(
        id="lead_01k00000000000000000000001", vertical="solar", source_id="s", received_at=AT, fields=known, test=test
    )


def judged(*evidence: Any) -> Followups | None:
    lead_id = next((one.id for one in evidence if isinstance(one, Lead)), "lead_1")
    verdict = Plan(ROSTER, TEMPLATES).judge(Case(lead_id, evidence), NOTHING, AT)
    assert isinstance(verdict, Pass)
    return next((one for one in verdict.learned if isinstance(one, Followups)), None)


def told(*evidence: Any) -> list[tuple[str, str]]:
    found = judged(*evidence)
    return [(item.kind, item.addressee) for item in found.items] if found else []


def kept(rep: str) -> Assignment:
    return Assignment(id="sale_1", team="west", rep=rep, order_id="o")


@pytest.mark.parametrize(
    ("evidence", "whom"),
    [
        ((a_lead(), OPEN), [("ack", "person")]),
        ((a_lead(), OPEN, SALE), [("ack", "person"), ("notice", "helio")]),
        ((a_lead(), OPEN, kept("ana")), [("ack", "person"), ("alert", "west/ana"), ("notice", "west")]),
        ((a_lead(), OPEN, kept("bo")), [("ack", "person"), ("notice", "west")]),
        ((a_lead(), SHUT, SALE), [("notice", "helio")]),
        ((a_lead(None), OPEN), []),
        ((a_lead(), OPEN, Dossier([Fact("email.syntax", None, "fail", "ours")])), []),
        ((a_lead(), OPEN, Dossier([Fact("email.disposable", True, "fail", "ours")])), []),
        ((a_lead(), OPEN, Dossier([Fact("email.syntax", True, "pass", "ours")])), [("ack", "person")]),
        ((a_lead(),), []),
        ((a_lead(test=True), OPEN, SALE), []),
        ((OPEN, SALE), []),
    ],
)  # fmt: skip
def test_the_cleared_person_and_the_recipient_are_told(evidence: Any, whom: list[tuple[str, str]]) -> None:
    assert told(*evidence) == whom


def test_why_the_person_was_not_written_to_is_said_without_the_address() -> None:
    found = judged(a_lead(), SHUT)
    assert found is not None
    assert list(found.tell()) == ["No acknowledgement: e-mail is closed (policy.lead.denied)."]


def test_a_message_has_the_same_id_whenever_the_lead_walks() -> None:
    first, again = judged(a_lead(), OPEN, SALE), judged(a_lead(), OPEN, SALE)
    assert first is not None
    assert first == again
    assert len({item.message_id for item in first.items}) == 2
    assert all(len(item.message_id) == 30 for item in first.items)


def sending(kind: Any, addressee: str) -> Sending:
    return Sending("msg_1", "lead_1", kind, addressee, "email", 1, AT)


def test_every_vertical_has_all_its_messages() -> None:
    assert set(TEMPLATES.verticals) == set(load_packs().verticals)
    assert all(set(kinds) == {"ack", "alert", "notice"} for kinds in TEMPLATES.verticals.values())


def test_the_person_reads_a_greeting_and_the_rep_reads_the_lead() -> None:
    ack = compose_letter(sending("ack", "person"), a_lead(), ROSTER, TEMPLATES)
    alert = compose_letter(sending("alert", "west/ana"), a_lead(note="<b>\nhi"), ROSTER, TEMPLATES)
    notice = compose_letter(sending("notice", "helio"), a_lead(), ROSTER, TEMPLATES)
    assert ack is not None
    assert alert is not None
    assert notice is not None
    assert (ack.to, ack.subject) == ("eve@example.com", "We have your solar request")
    assert ack.text.startswith("Hello Eve,")
    assert "4155550123" not in ack.text
    assert (alert.to, "Phone: +14155550123" in alert.text) == ("ana@mill.example", True)
    assert "Note: <b> hi" in alert.text
    assert "&lt;b&gt; hi" in alert.html
    assert notice.to == "desk@helio.example"
    assert "Helio Solar LLC" in notice.text
    assert "Eve" not in notice.text


def test_the_way_back_to_a_form_stands_in_the_word_to_the_person_where_its_text_asks_for_it() -> None:
    with_link = read_messages({"ack": {"subject": "s", "text": "Tell us more: {link}"}}, "messages.toml")["ack"]
    assert with_link is not None
    templates = Templates({"solar": {"ack": with_link}}, {})
    ack = compose_letter(sending("ack", "person"), a_lead(), ROSTER, templates, "https://mill.example/f/more?t=x")
    assert ack is not None and ack.text == "Tell us more: https://mill.example/f/more?t=x\n"
    usual = compose_letter(sending("ack", "person"), a_lead(), ROSTER, TEMPLATES, "https://mill.example/f/more?t=x")
    assert usual is not None and "/f/more" not in usual.text


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("Eve", "Eve"), ("Zoë-Anne O'Hara Jr.", "Zoë-Anne O'Hara Jr."), ("李", "李"), (None, "there"), ("", "there"),
        ("Win now at http://spam.example", "there"), ("a" * 60, "there"), ("Eve\r\nBcc: all@example.com", "there"),
        ("{details}", "there"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_name_is_not_mailed_to_a_stranger(name: str | None, used: str) -> None:
    assert given_name(name) == used


def test_nobody_is_written_to_who_is_gone() -> None:
    assert compose_letter(sending("ack", "person"), a_lead(None), ROSTER, TEMPLATES) is None
    assert compose_letter(sending("alert", "west/gone"), a_lead(), ROSTER, TEMPLATES) is None
    assert compose_letter(sending("notice", "nobody"), a_lead(), ROSTER, TEMPLATES) is None


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"ack": {"subject": "s", "text": "Hi {firstname}"}}, "did you mean 'first_name'"),
        ({"ack": {"subject": "s", "text": "{details}"}}, "only the alert"),
        ({"notice": {"subject": "s", "text": "{link}"}}, "only the word to the person"),
        ({"ack": {"subject": "s", "txt": "t"}}, "text: is missing"),
        ({"akc": {"subject": "s", "text": "t"}}, "did you mean 'ack'"),
    ],
)
def test_a_template_with_a_mistake_is_refused(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_messages(raw, "messages.toml")


def test_a_vertical_can_silence_a_message() -> None:
    assert read_messages({"ack": {"enabled": False}}, "messages.toml") == {"ack": None}


async def start(db: Database, now: datetime) -> str:
    lead = a_lead()
    found = judged(lead, OPEN)
    assert found is not None
    for _ in range(2):
        async with db.begin() as tx:
            keep_followups(tx, Case(lead.id), found, now)
    return found.items[0].message_id


async def test_a_message_is_kept_once_and_sent_once(db: Database, clock: Any) -> None:
    message_id = await start(db, clock())
    async with db.begin() as tx:
        assert len(await tx.all(JOB.select())) == 1
        one = await plan_sending(tx, message_id, clock())
    assert one is not None
    async with db.begin() as tx:
        with pytest.raises(Transient):
            await plan_sending(tx, message_id, clock())
    asked: list[Outgoing] = []

    async def perform(ask: Outgoing) -> Reply:
        asked.append(ask)
        return MailReply(250)

    outcome = await read_sent(MESSENGERS, one, compose_letter(one, a_lead(), ROSTER, TEMPLATES), perform)

    async def settle() -> list[Any]:
        async with db.begin() as tx:
            return await settle_sending(tx, one, outcome, clock(), jitter=0.5)

    brought = await asyncio.gather(*(settle() for _ in range(3)))
    assert sorted(len(events) for events in brought) == [0, 0, 1]
    assert isinstance(next(events[0] for events in brought if events), MessageSent)
    assert isinstance(asked[0], MailAsk)
    assert asked[0].message_id == message_id
    async with db.begin() as tx:
        (message,) = await messages_of(tx, a_lead().id)
        assert await plan_sending(tx, message_id, clock()) is None
    assert (message.state, message.attempts) == ("sent", 1)


async def test_a_message_that_may_not_go_yet_waits_without_spending_an_attempt(db: Database, clock: Any) -> None:
    message_id = await start(db, clock())
    until = clock() + timedelta(hours=9)
    async with db.begin() as tx:
        one = await plan_sending(tx, message_id, clock())
    assert one is not None
    said = ("policy.message.deferred", "It is too late.", (Rule("TEL-03", "47 CFR 64.1200(c)(1)"),))
    async with db.begin() as tx:
        (event,) = await defer_sending(tx, one, until, *said, clock())
    assert "TEL-03" in next(iter(event.tell()))
    async with db.begin() as tx:
        assert await defer_sending(tx, one, until, *said, clock()) == []
        with pytest.raises(Transient):
            await plan_sending(tx, message_id, clock())
        again = await plan_sending(tx, message_id, until)
        jobs = await tx.all(JOB.select())
    assert again is not None
    assert again.no == one.no
    assert max(row["run_at"] for row in jobs) == until


async def test_how_often_a_person_was_written_to_is_counted(db: Database, clock: Any) -> None:
    message_id = await start(db, clock())
    async with db.begin() as tx:
        one = await plan_sending(tx, message_id, clock())
        assert one is not None
        await settle_sending(tx, one, SendOutcome("sent", "250"), clock(), jitter=0)
    async with db.begin() as tx:
        assert await sent_lately(tx, [one.lead_id], clock() - timedelta(hours=24)) == [(clock(), "email")]
        assert await sent_lately(tx, [one.lead_id], clock()) == []


async def test_a_busy_mail_server_is_tried_again_and_given_up_in_the_end(db: Database, clock: Any) -> None:
    message_id = await start(db, clock())
    kinds = []
    while True:
        async with db.begin() as tx:
            one = await plan_sending(tx, message_id, clock())
        if one is None:
            break
        async with db.begin() as tx:
            (event,) = await settle_sending(tx, one, SendOutcome("retry", "mail.relay.busy"), clock(), jitter=0.5)
        kinds.append(type(event))
        if isinstance(event, MessageRetrying):
            clock.set(event.next_at)
    assert kinds == [MessageRetrying] * 5 + [MessageFailed]


@pytest.mark.parametrize(
    ("fault", "kind"), [(Transient("mail.relay.busy", after=9), "retry"), (Permanent("mail.relay.unset"), "failed")]
)
async def test_a_fault_on_the_way_is_an_outcome(fault: Exception, kind: str) -> None:
    async def perform(ask: Outgoing) -> Reply:
        raise fault

    one = sending("ack", "person")
    outcome = await read_sent(MESSENGERS, one, compose_letter(one, a_lead(), ROSTER, TEMPLATES), perform)
    assert outcome.kind == kind
    assert (await read_sent(MESSENGERS, one, None, perform)).code == "followup.addressee.gone"


def test_without_a_mail_server_nothing_is_planned() -> None:
    silent = Plan(ROSTER, read_templates(load_packs(), mail=False))
    assert silent.judge(Case("lead_1", (a_lead(), OPEN, SALE)), NOTHING, AT) == Pass()
