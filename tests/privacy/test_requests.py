"""Requests by rule: whose clock runs, how sure one is of who asks, what an answer shows, what a certificate proves."""

import base64
from datetime import UTC, date, datetime, timedelta
from functools import cache

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from leadmill.capture import FieldSpec, Vertical
from leadmill.core.faults import NotFound
from leadmill.flow.suppressed import without_sensitive
from leadmill.policy import Deadlines, law_of
from leadmill.privacy import (
    DeletionCertificate,
    Kind,
    Level,
    PrivacyRequest,
    State,
    Ticket,
    agreeing,
    category_of,
    clocks_of,
    holds,
    last_day,
    level_of,
    never_shown,
    next_due,
    open_ticket,
    pressure,
    seal_ticket,
    sees_pieces,
    sign,
    suffices,
)
from leadmill.runtime.packs import load_packs
from leadmill.runtime.vault import Vault

ASKED = datetime(2026, 11, 20, 18, tzinfo=UTC)  # a Friday, with Thanksgiving in the weeks that follow


@cache
def deadlines() -> Deadlines:
    return Deadlines(law_of(pack) for pack in load_packs().laws.values())


DAYS = [
    # step, home, the last day, and with an extension; as the table of the law has them
    ("confirm", "CA", date(2026, 12, 7), date(2026, 12, 7)),
    ("answer", "CA", date(2027, 1, 4), date(2027, 2, 18)),
    ("opt_out", "CA", date(2026, 12, 14), date(2026, 12, 14)),
    ("limit", "CA", date(2026, 12, 14), date(2026, 12, 14)),
    ("answer", "IA", date(2027, 2, 18), date(2027, 4, 4)),
    ("answer", "TX", date(2027, 1, 4), date(2027, 2, 18)),
    ("answer", "NY", date(2027, 1, 4), date(2027, 2, 18)),
    ("answer", "ELSEWHERE", date(2026, 12, 18), date(2027, 2, 17)),
    ("appeal", "VA", date(2027, 1, 19), date(2027, 1, 19)),
    ("appeal", "OR", date(2027, 1, 4), date(2027, 1, 4)),
    ("appeal", "NJ", date(2027, 1, 4), date(2027, 1, 4)),
    ("appeal", "CO", date(2027, 1, 4), date(2027, 3, 5)),
]


@pytest.mark.parametrize(("step", "home", "last", "longer"), DAYS)
def test_a_clock_ends_on_the_day_that_the_states_law_says(step: str, home: str, last: date, longer: date) -> None:
    due = deadlines().due(step, home, ASKED)
    more = deadlines().due(step, home, ASKED, ASKED + timedelta(days=20))
    assert due is not None and more is not None
    assert (due.last, last_day(due.until), more.last, last_day(more.until)) == (last, last, longer, longer)


def test_california_and_utah_give_no_appeal_and_nobody_else_asks_for_a_confirmation() -> None:
    assert [deadlines().due("appeal", home, ASKED) for home in ("CA", "UT", "ELSEWHERE")] == [None] * 3
    assert deadlines().due("confirm", "TX", ASKED) is None
    clocks = clocks_of(deadlines(), "know", "TX", ASKED)
    assert (clocks.confirm.rule, clocks.confirm.last, clocks.answer.rule) == ("CA-04", date(2026, 12, 7), "SP-TX")


def test_an_extension_told_after_the_term_adds_nothing() -> None:
    due = deadlines().due("answer", "CA", ASKED, datetime(2027, 1, 6, tzinfo=UTC))
    assert due is not None and due.last == date(2027, 1, 4)


def test_the_first_zone_of_a_state_whose_day_ends_counts() -> None:
    # Florida is in two zones: the day ends in the eastern one first.
    due = deadlines().due("answer", "FL", ASKED)
    assert due is not None and due.until == datetime(2027, 1, 5, 5, tzinfo=UTC)
    # Of somebody of whom nobody knows where they live, the earliest that any law asks for counts.
    unknown = clocks_of(deadlines(), "opt_out", "", ASKED)
    assert unknown.answer.last == date(2026, 12, 14)


SURE: list[tuple[bool, bool, int, bool, Level, int]] = [
    # link, known, facts that agree, declared
    (False, True, 3, True, "none", 0),
    (True, False, 0, False, "reasonable", 1),
    (True, False, 3, True, "reasonable", 1),  # facts of somebody of whom nothing is known prove nothing
    (True, True, 0, True, "reasonable", 2),
    (True, True, 1, False, "reasonable", 3),
    (True, True, 1, True, "high", 3),
    (True, True, 2, True, "high", 4),
]


@pytest.mark.parametrize(("link", "known", "matches", "declared", "level", "points"), SURE)
def test_how_sure_one_is_of_who_asks(
    link: bool, known: bool, matches: int, declared: bool, level: Level, points: int
) -> None:
    assert level_of(link=link, known=known, matches=matches, declared=declared) == (level, points)


ENOUGH: list[tuple[Kind, list[bool]]] = [
    ("opt_out", [True, True, True]),
    ("limit", [True, True, True]),
    ("know", [False, True, True]),
    ("delete", [False, True, True]),
    ("correct", [False, False, True]),
]


@pytest.mark.parametrize(("kind", "enough"), ENOUGH)
def test_opting_out_is_never_verified_and_correcting_most(kind: Kind, enough: list[bool]) -> None:
    levels: list[Level] = ["none", "reasonable", "high"]
    assert [suffices(kind, level) for level in levels] == enough
    assert [sees_pieces(level) for level in levels] == [False, False, True]


def test_facts_agree_whatever_their_spelling_and_never_where_nothing_is_said() -> None:
    told = {"last_name": " O'Neil ", "zip": "95814-1234", "phone": "(916) 200-0001", "date_of_birth": "1990-02-03"}
    lead = {"last_name": "ONEIL", "zip": "95814", "phone": "+19162000001", "date_of_birth": None}
    assert agreeing(told, [lead]) == ["last_name", "phone", "zip"]
    assert agreeing({"zip": "", "last_name": " "}, [{"zip": "", "last_name": ""}]) == []
    assert agreeing({"zip": "95814"}, []) == []


def request(state: State, **more: object) -> PrivacyRequest:
    base = PrivacyRequest(
        id="prv_1",
        kind="know",
        channel="desk",
        by="test",
        home="CA",
        state=state,
        level="none",
        agent=False,
        received_at=ASKED,
        confirm_due_at=ASKED + timedelta(days=10),
        answer_due_at=ASKED + timedelta(days=45),
        rule="CA-04",
        citation="",
        packs="",
    )
    return msgspec.structs.replace(base, **more)


def test_the_next_clock_is_the_one_that_runs() -> None:
    told = {"acknowledged_at": ASKED}
    assert next_due(request("open")) == ASKED + timedelta(days=10)
    assert next_due(request("open", **told)) == ASKED + timedelta(days=45)
    assert next_due(request("appealed", appeal_due_at=ASKED + timedelta(days=60))) == ASKED + timedelta(days=60)
    done: list[State] = ["answered", "denied", "lapsed"]
    assert [next_due(request(state, **told)) for state in done] == [None] * 3
    at = [pressure(request("open", **told), ASKED + timedelta(days=days)) for days in (1, 36, 45)]
    assert (at, pressure(request("answered"), ASKED)) == (["fine", "soon", "over"], "none")


def test_a_link_cannot_be_changed_or_read() -> None:
    vault = Vault(bytes(range(32)))
    token = seal_ticket(vault.keyed_hash, vault.seal, Ticket("prv_1", letter=True))
    assert "prv_1" not in token
    assert open_ticket(vault.keyed_hash, vault.open, token) == Ticket("prv_1", letter=True)
    for wrong in ("", "x", token[:-2], token[:9] + ("A" if token[9] != "A" else "B") + token[10:], "é"):
        with pytest.raises(NotFound):
            open_ticket(vault.keyed_hash, vault.open, wrong)


def test_a_certificate_holds_until_anything_in_it_is_changed() -> None:
    signer = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    made = sign(
        DeletionCertificate(
            request_id="prv_1", at=ASKED, persons=1, leads=("lead_1",), marks=3, answers=0, suppressed=2,
            told=("helio",), retained={"legal_claims": 1},
        ),
        signer,
    )  # fmt: skip
    assert holds(made) and len(made.digest) == 64
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    forged = base64.b64encode(stranger.sign(made.digest.encode())).decode()
    for changed in ({"leads": ()}, {"persons": 2}, {"at": ASKED + timedelta(seconds=1)}, {"signature": forged}):
        assert not holds(msgspec.structs.replace(made, **changed))


FIELDS = [
    ("first_name", False, False, "identifiers"),
    ("ip", False, False, "identifiers"),
    ("date_of_birth", False, False, "protected"),
    ("monthly_bill", False, False, "commercial"),
    ("landing_page", False, False, "internet"),
    ("utm_source", False, False, "internet"),
    ("job_title", False, False, "professional"),
    ("diagnosis", True, False, "sensitive"),
    ("phone.type", False, True, "inferences"),
    ("zip.city", False, True, "geolocation"),
]


@pytest.mark.parametrize(("name", "sensitive", "found_out", "category"), FIELDS)
def test_everything_held_has_a_category(name: str, sensitive: bool, found_out: bool, category: str) -> None:
    assert category_of(name, sensitive, found_out) == category


def test_what_could_be_misused_is_named_and_never_shown() -> None:
    never = ["ssn", "SSN", "borrower_ssn", "bank_account_number", "routing_number", "driver_license", "medicare_id"]
    assert [never_shown(name) for name in never] == [True] * len(never)
    assert not any(never_shown(name) for name in ("email", "license_state", "passion", "accident_date"))


def test_of_who_limited_it_nothing_sensitive_is_handed_on() -> None:
    specs = {"diagnosis": FieldSpec(name="diagnosis", sensitive="health"), "zip": FieldSpec(name="zip")}
    fields = {"diagnosis": "asthma", "zip": "95814", "phone": "+19162000001"}
    known = Vertical(name="legal", title="Legal", fields=specs)
    assert without_sensitive(fields, known) == {"zip": "95814", "phone": "+19162000001"}
    assert without_sensitive(fields, None) == {}
