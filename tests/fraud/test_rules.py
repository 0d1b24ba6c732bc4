"""Which signals are raised by what, and what they weigh together."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.consent import Proof
from leadmill.core.case import NOTHING, Heard
from leadmill.core.verdicts import Hold, Pass, Stop
from leadmill.facts import Fact
from leadmill.fraud import SIGNALS, Raised, Sighted, Sighting, Suspect, Suspicion, values_of, weigh
from leadmill.fraud.rules import build_detector, burned_weight, is_burst, words_of
from tests.fraud.scene import CARD, NOW, VAULT, card_with, case_of, dossier, failed, later, lead, sighting

PERSON = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
)
DETECT = build_detector(CARD)


def codes(context: dict[str, Any], *facts: Fact, seen: Sighted | None = None, proof: Proof | None = None) -> list[str]:
    found = DETECT(lead(**context), dossier(*facts), proof, seen, False)
    return sorted(item.code for item in found)


@pytest.mark.parametrize(
    ("context", "raised"),
    [
        ({}, []),
        ({"user_agent": PERSON, "ip": "198.35.26.96"}, []),
        ({"user_agent": PERSON.replace("Chrome", "HeadlessChrome")}, ["agent.automation"]),
        ({"user_agent": "Mozilla/5.0 (X11) selenium/4 webdriver"}, ["agent.automation"]),
        ({"webdriver": True}, ["form.webdriver"]),
        ({"webdriver": False}, []),
        ({"webdriver": "true"}, []),  # no word of a form of ours
        ({"trapped": "https://spam.example"}, ["form.honeypot"]),
        ({"trapped": "False"}, []),
        ({"filled_seconds": 1.2}, ["form.fast"]),
        ({"filled_seconds": 3.0}, []),
        ({"filled_seconds": -4}, []),
        ({"key_count": 0, "paste_count": 0, "fill_count": 0}, ["form.untouched"]),
        ({"key_count": 0, "paste_count": 0}, []),  # the browser's own help is not known
        ({"key_count": 0, "paste_count": 0, "fill_count": 5}, []),
        ({"key_count": 1, "paste_count": 0, "fill_count": 0}, []),
        ({"key_count": 4, "paste_count": 3, "fill_count": 0}, ["form.pasted"]),
        ({"key_count": 60, "key_gap_ms": 140, "key_gap_spread": 70}, []),
        ({"key_count": 60, "key_gap_ms": 9, "key_gap_spread": 70}, ["form.rhythm"]),
        ({"key_count": 60, "key_gap_ms": 100, "key_gap_spread": 2}, ["form.rhythm"]),
        ({"key_count": 19, "key_gap_ms": 100, "key_gap_spread": 2}, []),
        ({"key_count": 60, "key_gap_ms": 100}, []),
        ({"captured_at": (NOW - timedelta(hours=71)).isoformat()}, []),
        ({"captured_at": (NOW - timedelta(hours=73)).isoformat()}, ["recycled.posted"]),
        ({"captured_at": "the day before"}, []),
    ],
)
def test_what_came_with_a_lead_raises_just_its_signals(context: dict[str, Any], raised: list[str]) -> None:
    assert codes(context) == raised


@pytest.mark.parametrize(
    ("fact", "raised"),
    [
        (failed("email.disposable"), ["email.disposable"]),
        (Fact("email.disposable", False, "pass", "test"), []),
        (Fact("email.mx", False, "fail", "test"), ["email.mx"]),
        (Fact("email.mx", None, "unknown", "test"), []),
        (Fact("phone.fictional", True, "unknown", "test"), ["phone.fictional"]),
        (Fact("phone.test", True, "fail", "test"), ["phone.test"]),
        (Fact("name.gibberish", True, "fail", "test"), ["name.gibberish"]),
        (Fact("ip.hosting", True, "fail", "test"), ["ip.hosting"]),
        (Fact("ip.hosting", False, "pass", "test"), []),
        (Fact("form.fast", True, "fail", "test"), ["form.fast"]),
        (Fact("agree.phone_state", False, "fail", "test"), []),  # people keep their number when they move
    ],
)
def test_a_fact_speaks_against_a_lead_where_it_fails_and_never_where_it_is_unknown(
    fact: Fact, raised: list[str]
) -> None:
    assert codes({}, fact) == raised


@pytest.mark.parametrize(
    ("seen", "raised"),
    [
        (sighting("phone", counts=(3, 5, 12)), []),
        (sighting("phone", counts=(4, 4, 4)), ["velocity.phone"]),
        (sighting("phone", counts=(1, 1, 13)), ["velocity.phone"]),
        (sighting("email", counts=(1, 6, 6)), ["velocity.email"]),
        (sighting("ip", counts=(11, 11, 11), persons=(1, 1, 1)), ["velocity.ip"]),
        (sighting("ip", counts=(10, 13, 13), persons=(10, 13, 13)), ["crowd.ip"]),
        (sighting("net", counts=(41, 41)), ["velocity.net"]),
        (sighting("device", counts=(3, 3, 4), persons=(3, 3, 4)), ["crowd.device"]),
        (sighting("address", counts=(9,), persons=(7,)), ["crowd.address"]),
        (sighting("phone", elsewhere=6), []),
        (sighting("phone", elsewhere=7), ["recycled.source"]),
        (sighting("email", vertical=30), ["recycled.vertical"]),
        (sighting("ip", elsewhere=30), []),  # an address is used by many
        (sighting("phone", names=1), ["recycled.name"]),
        (sighting("phone", burned=(2,)), ["burned.phone"]),
        (sighting("address", burned=(2,)), ["burned.address"]),
        (sighting("net", burned=(2,)), []),
    ],
)
def test_what_was_seen_of_a_mark_raises_just_its_signals(seen: Sighting, raised: list[str]) -> None:
    assert codes({}, seen=Sighted((seen,))) == raised


def test_a_family_that_shares_its_phone_is_no_recycled_lead() -> None:
    seen = Sighted((sighting("phone", names=1),))
    assert DETECT(lead(), dossier(), None, seen, True) == []


def test_of_several_windows_the_one_that_is_exceeded_most_is_told() -> None:
    [raised] = DETECT(lead(), dossier(), None, Sighted((sighting("phone", counts=(4, 50, 50)),)), False)
    assert raised.says == "The phone number came 50 times within 24 hours; 5 times is usual at most."


def test_times_of_consent_are_held_against_the_arrival() -> None:
    one = lead()
    ahead = {"consent": {"given_at": later(hours=27).isoformat()}}
    [raised] = DETECT(lead_with(**ahead), dossier(), None, None, False)
    assert (raised.code, raised.detail) == ("consent.future", {"hours": 27})
    assert not DETECT(lead_with(consent={"given_at": later(hours=25).isoformat()}), dossier(), None, None, False)
    old = Proof(kind="written", text="I agree.", given_at=NOW - timedelta(days=91))
    assert [item.code for item in DETECT(one, dossier(), old, None, False)] == ["consent.stale"]


def lead_with(**fields: Any) -> Any:
    import_free = lead()
    return type(import_free)(**{name: getattr(import_free, name) for name in import_free.__struct_fields__} | fields)


def test_a_source_bursts_only_where_it_sends_more_than_it_ever_does() -> None:
    assert is_burst(CARD, 1_001, 200.0) and not is_burst(CARD, 1_000, 200.0)
    assert is_burst(CARD, 201, 3.0) and not is_burst(CARD, 200, 3.0)
    assert codes({}, seen=Sighted(hour=900, usual=20.0)) == ["source.burst"]
    assert codes({}, seen=Sighted(hour=900)) == []


def test_what_a_return_says_fades_by_halves_and_adds_up() -> None:
    assert burned_weight(0.8, [0], 60) == pytest.approx(0.8)
    assert burned_weight(0.8, [24 * 60], 60) == pytest.approx(0.4)
    assert burned_weight(0.8, [24 * 120], 60) == pytest.approx(0.2)
    assert burned_weight(0.5, [0, 0], 60) == pytest.approx(0.75)
    assert burned_weight(0.5, [], 60) == 0


def test_signals_of_one_family_do_not_add_up_and_those_of_several_do() -> None:
    fast, untouched, trap = Raised("form.fast", 40), Raised("form.untouched", 60), Raised("form.honeypot", 85)
    assert weigh([]) == 0
    assert weigh([fast]) == 40
    assert weigh([fast, untouched]) == 60
    assert weigh([fast, untouched, trap]) == 94


@given(st.lists(st.tuples(st.sampled_from(sorted(SIGNALS)), st.integers(1, 99)), max_size=12))
def test_one_more_signal_never_makes_a_lead_less_suspect(given_signals: list[tuple[str, int]]) -> None:
    raised = [Raised(code, weight) for code, weight in given_signals]
    scores = [weigh(raised[:place]) for place in range(len(raised) + 1)]
    assert scores == sorted(scores) and all(0 <= score <= 100 for score in scores)
    assert weigh(reversed(raised)) == scores[-1]


@pytest.mark.parametrize(("seconds", "says"), [(3600, "1 hour"), (86_400, "24 hours"), (2_592_000, "30 days")])
def test_windows_are_told_as_people_write_them(seconds: int, says: str) -> None:
    assert words_of(seconds) == says


# The station


def station(**thresholds: int) -> Suspect:
    return Suspect({"solar": card_with(**thresholds)}, VAULT.keyed_hash)


def test_a_lead_against_which_nothing_speaks_walks_on_and_says_so() -> None:
    case = case_of(lead())
    step = station()
    [asked] = step.wants(case)
    verdict = step.judge(case, Heard({asked: Sighted()}), NOW)
    assert isinstance(verdict, Pass)
    [suspicion] = verdict.learned
    assert isinstance(suspicion, Suspicion) and list(suspicion.tell()) == ["Nothing speaks against it."]
    assert values_of(suspicion) == {"fraud.score": 0}


def test_from_the_thresholds_on_a_lead_waits_for_a_person_or_ends() -> None:
    case = case_of(lead(webdriver=True))
    held = station(review_at=75, reject_at=76).judge(case, NOTHING, NOW)
    assert isinstance(held, Hold) and held.because.code == "fraud.lead.review" and held.until is None
    assert held.because.message == (
        "A person should look at this lead, 75 of 100 speaks against it: The browser says that a program drives it."
    )
    assert [rule.id for rule in held.rules] == ["form.webdriver"]
    ended = station(review_at=60, reject_at=75).judge(case, NOTHING, NOW)
    assert isinstance(ended, Stop) and ended.because.code == "fraud.lead.rejected"
    assert isinstance(station(review_at=76).judge(case, NOTHING, NOW), Pass)


def test_predicates_see_the_score_and_the_signals() -> None:
    [suspicion] = station().judge(case_of(lead(webdriver=True)), NOTHING, NOW).learned
    assert isinstance(suspicion, Suspicion)
    assert values_of(suspicion) == {"fraud.score": 75, "fraud.signals": ["form.webdriver"]}


def test_a_test_lead_is_counted_by_nothing_and_held_for_nothing() -> None:
    case = case_of(lead(test=True, webdriver=True))
    step = station(review_at=10, reject_at=20)
    assert step.wants(case) == ()
    verdict = step.judge(case, NOTHING, NOW)
    assert isinstance(verdict, Pass)
    [suspicion] = verdict.learned
    assert isinstance(suspicion, Suspicion) and suspicion.score == 75 and suspicion.path == "pass"


def test_signals_without_a_weight_are_not_raised() -> None:
    detect = build_detector(card_with(weights={"form.fast": 40, "form.webdriver": 0}))
    found = detect(
        lead(webdriver=True, filled_seconds=1, trapped="x"), dossier(failed("email.disposable")), None, None, False
    )
    assert [item.code for item in found] == ["form.fast"]
