"""The enquiries: what is in order is read without a remark, what is wrong is wrong as meant, in the shares stated."""

from collections import Counter
from datetime import UTC, datetime
from random import Random

import phonenumbers
import pytest

from leadmill.capture import Lexicon, Mapped, Submission
from leadmill.capture.rules import check_submission, missing
from leadmill.core.faults import BadInput, TooLarge
from leadmill.core.predicates import compile_predicate
from leadmill.runtime.packs import load_packs
from leadmill.scoring import read_scorecards
from leadmill_demo import environment
from leadmill_demo.compose import Call, Visit, make_enquiry, write_call, write_visit
from leadmill_demo.people import make_person
from leadmill_demo.senders import SENDERS, Sender
from leadmill_demo.traffic import Crowd, pace
from leadmill_demo.troubles import REFUSED, SHARES, Trouble
from tests.demo.business import of_kind, verticals

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
OVER_THE_API = [sender for sender in SENDERS if not sender.form]
LEXICON = Lexicon(verticals())


def send(sender: Sender, trouble: Trouble, seed: int) -> Call:
    rng = Random(seed)
    return write_call(rng, make_enquiry(rng, sender, trouble, NOW), environment()[sender.key])


def read(call: Call) -> Mapped:
    kind = call.headers["Content-Type"]
    submission = Submission(
        id="sub_1",
        source_id="x",
        channel="form" if "form" in kind else "json",
        received_at=NOW,
        content_type=kind,
        body=call.body,
        digest="",
    )
    return check_submission(submission, LEXICON)


def called(sender: Sender) -> str:
    return f"{sender.source}-{sender.vertical}"


@pytest.mark.parametrize("sender", OVER_THE_API, ids=called)
def test_an_enquiry_in_order_is_read_to_the_last_field(sender: Sender) -> None:
    for seed in range(60):
        mapped = read(send(sender, "none", seed))
        assert mapped.vertical == sender.vertical
        assert not mapped.extra and not mapped.test and not missing(mapped, LEXICON)
        assert mapped.consent["sellers"] == list(sender.sellers)
        assert all(name in str(mapped.consent["text"]) for name in sender.sellers)
        assert {"first_name", "last_name", "email", "phone", "zip"} <= set(mapped.fields)
        assert {"ip", "user_agent", "landing_page", "session_seconds", "sub1"} <= set(mapped.context)


@pytest.mark.parametrize("sender", OVER_THE_API, ids=called)
@pytest.mark.parametrize("trouble", sorted(REFUSED - {"wrong_key"}))
def test_a_callers_mistake_is_one(sender: Sender, trouble: Trouble) -> None:
    for seed in range(6):
        with pytest.raises((BadInput, TooLarge)):
            read(send(sender, trouble, seed))


@pytest.mark.parametrize("sender", OVER_THE_API, ids=called)
def test_what_is_wrong_with_a_person_is_left_for_leadmill_to_find(sender: Sender) -> None:
    assert read(send(sender, "test", 1)).test
    assert not read(send(sender, "no_consent", 1)).consent
    assert len(read(send(sender, "unknown_fields", 1)).extra) == 3
    assert missing(read(send(sender, "no_contact", 1)), LEXICON) == ["email or phone"]
    assert float(str(read(send(sender, "fast", 1)).context["session_seconds"])) < 3
    assert read(send(sender, "not_named", 1)).consent["sellers"] == ["Hollow Reed Partners"]


def test_an_implausible_answer_is_one_that_the_scorecard_holds_for_a_person() -> None:
    cards = read_scorecards(load_packs())
    for sender in OVER_THE_API:
        mapped = read(send(sender, "implausible", 1))
        held = any(compile_predicate(rule.when)(mapped.fields, NOW) for rule in cards[sender.vertical].review)
        assert held == (sender.vertical in ("solar", "mortgage", "legal", "home_services", "insurance_auto"))


def test_a_replay_is_the_same_request_and_a_reused_key_is_not() -> None:
    for sender in OVER_THE_API:
        replay, reused = send(sender, "replay", 3), send(sender, "reused_key", 3)
        assert replay.again == replay.body and "Idempotency-Key" in replay.headers
        assert reused.again not in (None, reused.body) and "Idempotency-Key" in reused.headers


def test_a_hosted_form_is_asked_for_the_fields_it_has() -> None:
    forms = of_kind("form")
    for sender in (sender for sender in SENDERS if sender.form):
        rng = Random(5)
        visit = write_visit(rng, make_enquiry(rng, sender, "none", NOW))
        asked = {field.field for step in forms[sender.form].steps for field in step.fields}
        assert set(visit.typed) == asked | {"consent[granted]", "fax_number"}
        assert visit.typed["fax_number"] == "" and all(visit.typed[name] for name in asked)
        assert forms[sender.form].source_id == sender.source and forms[sender.form].vertical == sender.vertical


def test_numbers_exist_in_the_plan_and_belong_to_nobody() -> None:
    rng = Random(7)
    for _ in range(500):
        person = make_person(rng, NOW.date())
        number = phonenumbers.parse(person.phone, "US")
        digits = str(number.national_number)
        assert phonenumbers.is_valid_number(number)
        assert digits[:3] in person.place.area_codes and digits[3:6] == "555" and int(digits[6:]) >= 2000
        assert person.email.rpartition("@")[2].split(".")[-2] == "example"
        assert person.born.year <= NOW.year - 20


def test_troubles_come_in_the_shares_stated() -> None:
    crowd = Crowd(Random(11), environment())
    seen = [crowd.next(NOW) for _ in range(6000)]
    counted = Counter(one.trouble for one in seen)
    # Without a page there is no hidden field to fill in: such a program names itself instead.
    shares = {**SHARES, "program": SHARES["program"] + SHARES["honeypot"]}
    del shares["implausible"]  # not in every vertical
    for trouble, share in shares.items():
        if share >= 0.01:
            assert counted[trouble] / len(seen) == pytest.approx(share, rel=0.3), trouble
    verticals_seen = Counter(
        next(sender.vertical for sender in SENDERS if sender.form == one.form) for one in seen if isinstance(one, Visit)
    )
    assert set(verticals_seen) == {"solar", "mortgage"}


def test_the_same_seed_makes_the_same_crowd() -> None:
    first, second, other = (Crowd(Random(seed), environment()) for seed in (3, 3, 4))
    made = [[crowd.next(NOW) for _ in range(50)] for crowd in (first, second, other)]
    assert made[0] == made[1] != made[2]


def test_a_person_may_ask_again() -> None:
    crowd = Crowd(Random(2), environment())
    bodies = [one for one in (crowd.next(NOW) for _ in range(2500)) if isinstance(one, Call)]
    people: Counter[tuple[str, object]] = Counter()
    for call in bodies:
        if call.trouble in ("none", "again"):
            mapped = read(call)
            people[mapped.vertical, mapped.fields["email"]] += 1
    assert 0.03 < sum(count - 1 for count in people.values()) / sum(people.values()) < 0.10


def test_a_day_is_busy_at_noon_and_quiet_at_night_and_keeps_its_mean() -> None:
    hours = [pace(2.0, datetime(2026, 3, 4, hour, minute, tzinfo=UTC)) for hour in range(24) for minute in (0, 30)]
    assert sum(hours) / len(hours) == pytest.approx(2.0, rel=0.01)
    assert pace(2.0, datetime(2026, 3, 4, 18, tzinfo=UTC)) > 4 * pace(2.0, datetime(2026, 3, 4, 9, tzinfo=UTC))
