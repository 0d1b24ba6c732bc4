"""The station as a whole: what stops a lead, what closes a way of contact, what bars a recipient."""

from datetime import UTC, datetime
from typing import Any

import pytest

from leadmill.core.case import Heard
from leadmill.core.verdicts import Hold, Pass, Stop, Verdict
from leadmill.parties import Buyer, Roster
from leadmill.policy import Clear, Clearance, Law, SuppressionAsk, SuppressionFound, law_of, read_law, sale_key
from leadmill.runtime.packs import BUILT_IN, load_packs
from tests.policy.engine import engine_by
from tests.policy.leads import NOW, VERTICALS, buyer, case_of, hashed, roster

BUILT = {name: law_of(pack) for name, pack in load_packs(BUILT_IN).laws.items()}


def clearing(book: Roster, laws: dict[str, Law] | None = None) -> Clear:
    """The station under the built-in laws, or others."""
    laws = BUILT if laws is None else laws
    return Clear(laws, VERTICALS, book, hashed, engine_by(laws))


def judged(
    *buyers: Buyer,
    team: bool = False,
    laws: dict[str, Law] | None = None,
    found: SuppressionFound | None = None,
    now: datetime = NOW,
    **lead: Any,
) -> Verdict:
    """The verdict on a lead under the built-in laws, or others."""
    book: Roster = roster(*(buyers or (buyer(),)), team=team)
    step = clearing(book, laws)
    case = case_of(**lead)
    (ask,) = step.wants(case)
    return step.judge(case, Heard({ask: found or SuppressionFound()}), now)


def clearance_of(verdict: Verdict) -> Clearance:
    (found,) = [item for item in verdict.learned if isinstance(item, Clearance)]
    return found


def shut(verdict: Verdict) -> set[str]:
    """The ways of contact that are closed."""
    return {name for name, why in clearance_of(verdict).channels.items() if why is not None}


def law(*rules: dict[str, Any]) -> dict[str, Law]:
    """A pack of one's own."""
    made = [
        {"id": f"X-{number}", "citation": "c", "scope": "lead", "when": [], **rule} for number, rule in enumerate(rules)
    ]
    return {"mine": read_law("mine", "d1", {}, {"rule": made})}


def test_the_person_is_asked_after_by_both_keys() -> None:
    (ask,) = clearing(roster()).wants(case_of())
    sales = (sale_key(hashed, b"p"), sale_key(hashed, b"e"))
    assert ask == SuppressionAsk(phone=b"p", email=b"e", sales=sales)


def test_a_lead_in_order_is_cleared_for_who_was_named() -> None:
    verdict = judged(buyer(), buyer("bright", "Bright Roofs"))
    assert isinstance(verdict, Pass)
    assert clearance_of(verdict).cleared == ["helio"]
    assert clearance_of(verdict).refused["bright"].detail["rule"] == "TEL-02"
    assert shut(verdict) == set()
    assert set(clearance_of(verdict).packs) == {"us-licences", "us-privacy", "us-tcpa", "us-trade"}


STOPPED: list[tuple[str, dict[str, Any], str]] = [
    ("no consent", {"kind": "none", "text": ""}, "policy.consent.missing"),
    ("the phone opted out", {"found": SuppressionFound(phone=NOW)}, "policy.person.suppressed"),
    ("the address opted out", {"found": SuppressionFound(email=NOW)}, "policy.person.suppressed"),
    (
        "an opt-out outweighs missing consent",
        {"kind": "none", "text": "", "found": SuppressionFound(email=NOW)},
        "policy.person.suppressed",
    ),
    ("no way is open", {"phone": "fail", "email": "fail"}, "policy.channel.none_open"),
    ("every way was declined", {"refused": ["call", "text", "email"]}, "policy.channel.none_open"),
]


@pytest.mark.parametrize(("why", "lead", "code"), STOPPED, ids=[item[0] for item in STOPPED])
def test_what_stops_a_lead(why: str, lead: dict[str, Any], code: str) -> None:
    verdict = judged(**lead)
    assert isinstance(verdict, Stop)
    assert verdict.because.code == code
    assert verdict.rules
    assert all(rule.citation for rule in verdict.rules)


CLOSED: list[tuple[str, dict[str, Any], set[str]]] = [
    ("nothing said against anything", {}, set()),
    ("texts not agreed to", {"channels": ["call", "email"]}, {"text"}),
    ("a box ticked beforehand", {"box_default": "checked"}, {"text"}),
    ("a condition of purchase", {"text": "I agree that Helio Solar LLC may call and text me."}, {"text"}),
    ("calls declined", {"refused": ["call"]}, {"call"}),
    ("e-mail declined", {"refused": ["email"]}, {"email"}),
    ("no usable phone", {"phone": "fail"}, {"call", "text"}),
    ("no usable address", {"email": "unknown"}, {"email"}),
    ("no consent where none is needed", {"vertical": "b2b", "kind": "none", "text": "", "channels": []}, {"text"}),
]


@pytest.mark.parametrize(("why", "lead", "closed"), CLOSED, ids=[item[0] for item in CLOSED])
def test_what_closes_a_way_of_contact(why: str, lead: dict[str, Any], closed: set[str]) -> None:
    verdict = judged(**lead)
    assert isinstance(verdict, Pass)
    assert shut(verdict) == closed


BARRED: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("nothing against it", {}, {}, None),
    ("not named", {"name": "Other Inc"}, {}, "TEL-02"),
    ("named by its brand", {"name": "Other Inc", "brands": ["Helio Solar LLC"]}, {}, None),
    (
        "listed behind a link only",
        {"name": "Other Inc"},
        {"sellers": ["Other Inc"], "sellers_display": "hyperlink"},
        "TEL-02",
    ),
    ("listed for all to see", {"name": "Other Inc"}, {"sellers": ["Other Inc"], "sellers_display": "visible"}, None),
    ("not named, where nobody need be", {"name": "Other Inc"}, {"vertical": "b2b"}, None),
    ("not vetted", {"vetted": False}, {}, "FTC-2"),
    ("its use not certified", {"certifies_use": False}, {}, "FTC-2"),
    ("no contract", {"contract": {"signed": "2026-03-05", "privacy_terms": True}}, {}, "CA-03"),
    (
        "a contract that has ended",
        {"contract": {"signed": "2025-03-05", "privacy_terms": True, "ends": "2026-03-03"}},
        {},
        "CA-03",
    ),
    ("no terms in California", {"contract": {"signed": "2026-01-05"}}, {}, "CA-03"),
    ("no terms in Nevada", {"contract": {"signed": "2026-01-05"}}, {"state": "NV"}, None),
    ("no licence in California", {"licences": []}, {}, "SOL-3"),
    ("no licence in Nevada", {"licences": []}, {"state": "NV"}, None),
]


@pytest.mark.parametrize(("why", "party", "lead", "rule"), BARRED, ids=[item[0] for item in BARRED])
def test_what_bars_a_recipient(why: str, party: dict[str, Any], lead: dict[str, Any], rule: str | None) -> None:
    found = clearance_of(judged(buyer(**{"name": "Helio Solar LLC", **party}), **lead))
    assert (found.refused["helio"].detail["rule"] if "helio" in found.refused else None) == rule
    assert (found.cleared == ["helio"]) is (rule is None)


def test_our_own_people_need_no_name_and_no_licence() -> None:
    verdict = judged(buyer("other", "Other Inc"), team=True, kind="none", text="", channels=[])
    assert isinstance(verdict, Pass)
    assert clearance_of(verdict).cleared == ["west"]


def test_what_was_known_of_a_buyer_is_not_held_against_a_team() -> None:
    own = law(
        {"scope": "recipient", "says": "No.", "in_house": True, "when": [{"field": "recipient.vetted", "eq": False}]}
    )
    verdict = judged(buyer(vetted=False), team=True, laws=own)
    assert clearance_of(verdict).cleared == ["west"]


def test_a_rule_may_speak_of_teams_too() -> None:
    own = law({"scope": "recipient", "says": "No.", "in_house": True, "when": [{"field": "state", "eq": "CA"}]})
    found = clearance_of(judged(team=True, laws=own))
    assert set(found.refused) == {"helio", "west"}


def test_a_denial_outranks_a_review() -> None:
    verdict = judged(laws=law({"says": "Look.", "decision": "review"}, {"says": "Never."}))
    assert isinstance(verdict, Stop)
    assert (verdict.because.code, verdict.because.detail["says"]) == ("policy.lead.denied", "Never.")
    assert [rule.says for rule in verdict.rules] == ["Look.", "Never."]


def test_a_lead_under_review_is_cleared_already_as_far_as_it_goes() -> None:
    verdict = judged(laws=law({"says": "Look.", "decision": "review"}))
    assert isinstance(verdict, Hold)
    assert verdict.because.code == "policy.lead.review"
    assert clearance_of(verdict).cleared == ["helio"]


def test_a_rule_of_other_states_verticals_or_days_is_silent() -> None:
    own = law(
        {"says": "No.", "states": ["NV"]},
        {"says": "No.", "verticals": ["mortgage"]},
        {"says": "No.", "effective_from": "2026-03-05"},
    )
    assert isinstance(judged(laws=own), Pass)
    assert isinstance(judged(laws=own, state="NV"), Stop)
    assert isinstance(judged(laws=own, now=datetime(2026, 3, 5, tzinfo=UTC)), Stop)


def test_a_rule_begins_and_a_licence_ends_with_the_day_where_the_lead_lives() -> None:
    begins = law({"says": "No.", "effective_from": "2026-03-05"})
    evening = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
    assert isinstance(judged(laws=begins, now=evening), Stop)
    assert isinstance(judged(laws=begins, now=evening, zone="America/Los_Angeles"), Pass)
    assert isinstance(judged(laws=begins, now=evening.replace(hour=8), zone="America/Los_Angeles"), Stop)
    assert isinstance(judged(laws=begins, now=evening, zone="America/New_York"), Pass)
    assert isinstance(judged(laws=begins, now=evening.replace(hour=5), zone="America/New_York"), Stop)
    licence = {"kind": "CSLB", "number": "1", "states": ["CA"], "expires": "2026-03-04"}
    helio = buyer(licences=[licence])
    assert clearance_of(judged(helio, now=evening)).cleared == []
    assert clearance_of(judged(helio, now=evening, zone="America/Los_Angeles")).cleared == ["helio"]


def test_one_step_judges_leads_of_two_zones_by_their_own_days() -> None:
    step = clearing(roster(buyer()), law({"says": "No.", "scope": "recipient", "effective_from": "2026-03-05"}))
    evening = datetime(2026, 3, 5, 6, 0, tzinfo=UTC)
    cleared = []
    for zone in ("America/New_York", "America/Los_Angeles", "America/New_York"):
        case = case_of(zone=zone)
        (ask,) = step.wants(case)
        cleared.append(clearance_of(step.judge(case, Heard({ask: SuppressionFound()}), evening)).cleared)
    assert cleared == [[], ["helio"], []]


def test_the_biography_names_no_person() -> None:
    told = " ".join(clearance_of(judged(buyer(), buyer("bright", "Bright Roofs"), box_default="checked")).tell())
    assert told.startswith("Open: call, email.")
    assert "1 recipients may have it, 1 may not." in told
