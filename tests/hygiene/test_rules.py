"""What is believed of a contact point, as a table and as laws; and how facts grow old."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.facts import Dossier, Fact, Win
from leadmill.hygiene import KINDS, Observed, Seen, confidence_at, kind_of, point_of, read_upkeeps, standing_of
from leadmill.hygiene.rules import remembered, status_kind
from leadmill.runtime.packs import load_packs

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
UPKEEP = read_upkeeps(load_packs())["solar"]
Told = list[tuple[str, float]]


def seen(*told: tuple[str, float]) -> tuple[Seen, ...]:
    """Kinds, each so many days ago."""
    return tuple(Seen(kind, NOW - timedelta(days=days), "post") for kind, days in told)


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([], "unknown"),
        ([("delivered", 1)], "pass"),
        ([("bounced", 1)], "fail"),
        ([("bounced", 400)], "fail"),
        ([("bounced", 1_090)], "unknown"),  # long ago, and half of it is forgotten every 270 days
        ([("bounced", 10), ("delivered", 5)], "pass"),  # it was mended
        ([("delivered", 10), ("bounced", 5)], "fail"),  # it was shut
        ([("opened", 9), ("delivered", 10), ("bounced", 5)], "fail"),
        ([("deferred", 1)], "unknown"),
        ([("deferred", 1), ("deferred", 2)], "unknown"),
        ([("deferred", 1), ("deferred", 2), ("deferred", 3)], "fail"),
        ([("deferred", 1), ("deferred", 2), ("deferred", 40)], "unknown"),  # not within two weeks
        ([("deferred", 1), ("deferred", 1), ("deferred", 1)], "unknown"),  # one and the same
        ([("deferred", 3), ("deferred", 4), ("deferred", 5), ("delivered", 1)], "pass"),
        ([("deferred", 3), ("deferred", 4), ("deferred", 5), ("delivered", 3.5)], "pass"),
        ([("complained", 1)], "unknown"),
        ([("complained", 1), ("delivered", 2)], "pass"),
        ([("answered", 30)], "pass"),
        ([("disconnected", 1)], "fail"),
        ([("disconnected", 300)], "unknown"),  # by then it may be anybody's
        ([("wrong_number", 10), ("answered", 9)], "pass"),
        ([("answered", 10), ("wrong_number", 9)], "fail"),
        ([("unreached", 1)], "fail"),
        ([("unreachable", 1)], "unknown"),
        ([("nobody knows this kind", 1)], "unknown"),
    ],
)
def test_a_standing_follows_from_what_came_back(told: Told, outcome: str) -> None:
    assert standing_of(seen(*told), UPKEEP, NOW).outcome == outcome


def test_a_standing_names_the_word_that_counts_and_when_the_person_complained() -> None:
    told = (
        Seen("bounced", NOW - timedelta(days=9), "post"),
        Seen("complained", NOW - timedelta(days=3), "provider"),
        Seen("delivered", NOW - timedelta(days=5), "hook"),
    )
    found = standing_of(told, UPKEEP, NOW)
    assert (found.outcome, found.source, found.at) == ("pass", "hook", told[2].at)
    assert found.complained == told[1].at
    assert 85 <= found.confidence <= 90  # 4.5 of 5


def test_a_clock_that_runs_ahead_makes_nothing_surer_than_it_was_said() -> None:
    ahead = (Seen("delivered", NOW + timedelta(hours=1), "post"),)
    assert standing_of(ahead, UPKEEP, NOW).good == UPKEEP.weights["delivered"]


HISTORY = st.lists(
    st.builds(
        Seen,
        st.sampled_from(sorted(KINDS)),
        st.integers(0, 900).map(lambda hours: NOW - timedelta(hours=hours)),
        st.sampled_from(("post", "hook")),
    ),
    max_size=12,
)


@given(HISTORY, st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_heard_does_not_matter(history: list[Seen], random: object) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert standing_of(shuffled, UPKEEP, NOW) == standing_of(history, UPKEEP, NOW)


@given(HISTORY)
def test_what_is_told_twice_counts_once(history: list[Seen]) -> None:
    assert standing_of(history * 2, UPKEEP, NOW) == standing_of(history, UPKEEP, NOW)


@given(HISTORY, st.integers(0, 2_000), st.integers(0, 2_000))
def test_what_speaks_for_and_against_only_ever_fades(history: list[Seen], first: int, second: int) -> None:
    early, late = sorted((first, second))
    before = standing_of(history, UPKEEP, NOW + timedelta(days=early))
    after = standing_of(history, UPKEEP, NOW + timedelta(days=late))
    assert after.good <= before.good + 1e-12
    assert after.bad <= before.bad + 1e-12


@given(HISTORY, st.sampled_from(("email", "phone")))
def test_a_word_for_good_after_everything_else_is_believed(history: list[Seen], channel: str) -> None:
    for kind, sense, outcome in (("good", "good", "pass"), ("bad", "bad", "fail")):
        strongest = max(
            (name for name, one in KINDS.items() if one.channel == channel and one.sense == sense),
            key=lambda name: UPKEEP.weights[name],
        )
        last = Seen(strongest, NOW + timedelta(minutes=1), kind)
        assert standing_of([*history, last], UPKEEP, NOW + timedelta(minutes=1)).outcome == outcome


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("550 5.1.1", "bounced"),  # no such mailbox
        ("5.1.2", "bounced"),  # no such system
        ("5.1.10", "bounced"),  # null MX, RFC 7505
        ("5.1.8", None),  # the sender's address is bad
        ("5.2.1", "bounced"),  # shut
        ("552 5.2.2", "deferred"),  # full
        ("5.4.4", "deferred"),
        ("451 4.3.0", "deferred"),
        ("4.2.1", "deferred"),
        ("550 5.7.1", None),  # we may not, which says nothing of the address
        ("554 5.6.0", None),
        ("2.1.5", "delivered"),
        ("550", "bounced"),
        ("553", "bounced"),
        ("552", "deferred"),
        ("554", None),
        ("421", "deferred"),
        ("", None),
        ("no such user", None),
    ],
)
def test_a_mail_server_says_something_of_the_address_or_of_something_else(status: str, kind: str | None) -> None:
    assert status_kind(status) == kind


@pytest.mark.parametrize(
    ("word", "status", "kind"),
    [
        ("bounced", "", "bounced"),
        ("Hard Bounce", "", "bounced"),
        ("hard-bounce", "5.1.1", "bounced"),
        ("bounce", "5.2.2", "deferred"),
        ("bounce", "5.7.1", None),
        ("bounce", "5.0.0", "bounced"),  # says no more than that it is for good
        ("bounce", "failed", "bounced"),
        ("SpamReport", "", "complained"),
        ("delivery", "", "delivered"),
        ("not-in-service", "", "disconnected"),
        ("processed", "", None),
        ("HardBounce", "", "bounced"),
        ("blocked", "", None),
        ("", "", None),
    ],
)
def test_services_words_are_understood(word: str, status: str, kind: str | None) -> None:
    assert kind_of(word, UPKEEP, status) == kind


def test_a_point_is_the_key_that_identity_knows_its_person_by() -> None:
    def hashed(purpose: str, text: str) -> bytes:
        return f"{purpose} {text}".encode()

    assert point_of(hashed, "Ann.Smith+x@GMAIL.com") == ("email", b"email annsmith@gmail.com")
    assert point_of(hashed, "(916) 200-0101") == ("phone", b"phone +19162000101")
    assert point_of(hashed, "neither") is None


AGED = [
    # key, confidence, days ago, what is left
    ("email.mx", 100, 0, 100),
    ("email.mx", 100, 770, 75),
    ("email.mx", 90, 770, 70),
    ("email.mx", 40, 770, 40),  # what is no better than a guess does not fade
    ("phone.type", 100, 1_460, 75),
    ("name.first", 100, 5_000, 100),  # does not age
]


@pytest.mark.parametrize(("key", "confidence", "days", "left"), AGED)
def test_facts_are_less_sure_as_they_grow_old(key: str, confidence: int, days: int, left: int) -> None:
    fact = Fact(key, True, "pass", "anybody", confidence, observed_at=NOW - timedelta(days=days))
    assert confidence_at(fact, UPKEEP, NOW) == left


def test_a_dossier_is_the_same_where_nothing_came_back_and_nothing_has_aged() -> None:
    dossier = Dossier([Fact("email.mx", True, "pass", "dns", 100, observed_at=NOW)], NOW)
    assert remembered(dossier, Observed(), UPKEEP, NOW + timedelta(hours=2)) is dossier


def test_what_came_back_counts_before_a_providers_word_and_behind_a_persons() -> None:
    facts = [Fact("email.reachable", True, "pass", "provider", 100)]
    back = Observed(email=seen(("bounced", 1)), phone=seen(("answered", 2), ("complained", 1)))
    found = remembered(Dossier(facts, NOW), back, UPKEEP, NOW)
    assert found.value("email.reachable") is False and found.outcome("email.reachable") == "fail"
    assert found.value("phone.reachable") is True
    assert found.by_key["email.reachable"].confidence > 95
    corrected = Dossier(facts, NOW, wins={"email.reachable": Win(0, "correction")})
    assert remembered(corrected, back, UPKEEP, NOW).value("email.reachable") is True
    weak = remembered(Dossier(facts, NOW), Observed(email=seen(("deferred", 1))), UPKEEP, NOW)
    assert weak.value("email.reachable") is True, "what says nothing takes nobody's word away"
