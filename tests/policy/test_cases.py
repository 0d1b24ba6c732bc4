"""What the law packs decide, case by case: the cases stand in ``cases/``, both sides of every boundary."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from leadmill.core.faults import BadInput, NotFound
from leadmill.policy.cases import bases, read_case
from leadmill.policy.model import ACTIONS
from leadmill.policy.service import check_cases, explain_rule, law_pages, read_laws
from tests.policy.engine import FILES, cases_of, decided, engine

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ROOT.parent / "shared" / "data" / "policy" / "cases.jsonl"


@pytest.mark.parametrize("name", FILES)
def test_every_case_is_decided_as_it_says(name: str) -> None:
    lines = [json.dumps(raw).encode() for raw in cases_of(name)]
    differing = [f"{one.result.id}: {one.fault or one.differs}" for one in check_cases(engine(), lines)]
    assert len(differing) == len(lines) > 20
    assert not [said for said in differing if not said.endswith(": ")]


@pytest.mark.skipif(not PUBLIC.is_file(), reason="the public cases lie beside the repository, where they are given")
def test_the_public_cases_are_decided_as_they_say() -> None:
    found = list(check_cases(engine(), PUBLIC.read_bytes().splitlines()))
    assert not [(one.result.id, one.differs) for one in found if one.differs or one.fault]


def test_a_case_that_expects_otherwise_is_told() -> None:
    line = {
        "id": "x",
        "base": "b2b_ok",
        "now": "2026-11-24T18:00:00Z",
        "action": "call",
        "expect": {"decision": "deny"},
    }
    (one,) = check_cases(engine(), [json.dumps(line).encode()])
    assert one.differs == "expected deny, decided allow"


def test_every_rule_speaks_in_some_case_and_is_silent_in_another() -> None:
    told: set[str] = set()
    silent: set[str] = set()
    # Nobody in a case lives abroad: terms of elsewhere are asked by who answers requests alone.
    every = {
        one.says: one.actions
        for law in engine().laws
        for one in (*law.rules, *law.provisions)
        if one.actions and one.states != ("ELSEWHERE",)
    } | {one.says: ("route", "sell") for law in engine().laws for one in law.licences if one.cases}
    for name in FILES:
        for raw in cases_of(name):
            said = {finding.says for finding in engine().findings(read_case(raw))}
            told |= said
            silent |= {says for says, actions in every.items() if raw["action"] in actions and says not in said}
    assert not every.keys() - told, "rules that no case shows speaking"
    assert not every.keys() - silent, "rules that no case shows silent"


@pytest.mark.parametrize("base", bases())
def test_a_complete_line_says_what_its_base_says(base: str) -> None:
    whole = {"now": "2026-11-24T18:00:00Z", "action": "sell", **bases()[base]}
    assert decided(base=None, **whole) == decided(base=base, action="sell")


def test_null_takes_a_key_away_and_lists_replace() -> None:
    case = read_case(
        {
            "base": "solar_ca_ok",
            "now": "2026-11-24T01:00:00-05:00",
            "title": "x",
            "expect": {},
            "consent": {"channels": ["call"], "certificate": None, "given_at": "now-3h"},
            "facts": {"dnc": {"registry_date": "today-1d"}},
            "history": [{"kind": "reply", "at": "now+2m", "text": "now"}],
        }
    )
    assert "certificate" not in case["consent"]
    assert case["consent"]["channels"] == ["call"]
    assert case["consent"]["given_at"] == "2026-11-24T03:00:00Z"
    assert case["facts"]["dnc"]["registry_date"] == "2026-11-23"
    assert case["history"][0] == {"kind": "reply", "at": "2026-11-24T06:02:00Z", "text": "now"}
    assert not {"base", "title", "expect"} & case.keys()


UNREADABLE: list[tuple[str, bytes]] = [
    ("no JSON", b"{"),
    ("no object", b"[1]"),
    ("no moment", b'{"id": 1, "action": "call"}'),
    ("a moment of no calendar", b'{"now": "9999-12-31T23:59:59Z", "action": "call"}'),
    ("an unknown base", b'{"base": "sunny", "now": "2026-01-01T00:00:00Z"}'),
    ("a time out of the calendar", b'{"base": "b2b_ok", "now": "2026-01-01T00:00:00Z", "x": "now-999999d"}'),
]


@pytest.mark.parametrize(("what", "line"), UNREADABLE, ids=[what for what, _ in UNREADABLE])
def test_a_line_that_cannot_be_read_is_reviewed(what: str, line: bytes) -> None:
    (one,) = check_cases(engine(), [b"", line])
    assert (one.line, one.result.decision) == (2, "review")
    assert one.fault


def test_an_action_that_nobody_knows_is_reviewed() -> None:
    for action in ("fly", None, ["call"]):
        assert decided(action=action).decision == "review"


def test_a_decision_names_the_packs_it_was_made_by() -> None:
    found = decided(action="call")
    assert found.packs == {law.name: law.digest for law in engine().laws}
    assert all(len(digest) == 64 for digest in found.packs.values())


def test_a_denial_cites_where_it_is_written() -> None:
    found = decided(action="sell", consent=None, recipient={"contract": None})
    assert (found.decision, found.until) == ("deny", UNSET)
    assert {"CA-03", "TEL-02"} <= set(found.rules)
    assert all(found.citations)


def test_obligations_go_with_an_allowed_case() -> None:
    found = decided(action="call", facts={"rnd": None})
    assert (found.decision, found.obligations) == ("allow", ["query_reassigned_numbers"])


PIECES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 99)
    | st.floats(allow_nan=False)
    | st.sampled_from(
        ["", "now", "CA", "stop", "+13055550142", "2026-11-24", "1850-01-01T00:00:00Z", "health", "call", "ü"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["at", "kind", "state"]), inner),
    max_leaves=6,
)
NAMES = sorted({key for base in bases().values() for key in base} | {"history"})


@settings(max_examples=80)
@given(
    action=st.sampled_from(ACTIONS),
    base=st.sampled_from(sorted(bases())),
    over=st.dictionaries(st.sampled_from(NAMES), PIECES, max_size=4),
)
def test_whatever_a_case_holds_it_is_decided(action: str, base: str, over: dict[str, Any]) -> None:
    found = decided(base=base, action=action, **over)
    assert found.decision in ("allow", "deny", "review", "defer")
    assert (found.until is not UNSET) == (found.decision == "defer")
    assert found.citations or found.decision == "allow"


@settings(max_examples=40)
@given(
    at=st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),
    lead=st.sampled_from(
        [
            {},
            {"phone": "+12125550142"},
            {"state": "RI", "zip": "02903", "phone": "+14015550142"},
            {"state": "TX", "zip": None, "phone": "+18005550142"},
            {"state": None, "zip": None, "phone": "+18005550142"},
        ]
    ),
)
def test_what_is_deferred_may_go_at_the_moment_named_and_not_a_second_before(
    at: datetime, lead: dict[str, Any]
) -> None:
    found = decided(now=at.isoformat(), action="call", lead=lead)
    if found.decision == "defer":
        until = datetime.fromisoformat(str(found.until))
        assert until > at
        assert decided(now=found.until, action="call", lead=lead).decision == "allow"
        before = until.timestamp() - 1
        if before > at.timestamp():
            earlier = datetime.fromtimestamp(before, UTC).isoformat()
            assert decided(now=earlier, action="call", lead=lead).decision == "defer"


def test_the_pages_of_law_are_as_the_packs_say() -> None:
    made = law_pages(read_laws())
    folder = ROOT / "docs" / "law"
    assert {path.name for path in folder.glob("*.md")} == set(made), "run python scripts/laws.py"
    for name, text in made.items():
        assert (folder / name).read_text("utf-8") == text, "run python scripts/laws.py"


def test_a_rule_is_explained_by_its_id_in_any_case() -> None:
    found = explain_rule(read_laws(), "st-me")
    assert [told.id for told in found] == ["TEL-09"]
    assert "ME" in found[0].where
    with pytest.raises(NotFound, match="TEL-"):
        explain_rule(read_laws(), "TEL-4")


def test_a_base_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadInput, match="solar_ca_ok"):
        read_case({"base": "x", "now": "2026-11-24T18:00:00Z"})
