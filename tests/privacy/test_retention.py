"""Whether a lead may go: schedules, the law's least terms, holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.spans import after
from leadmill.privacy import (
    Due,
    Kept,
    Least,
    Schedule,
    Seen,
    Terms,
    Unruled,
    all_due,
    in_turn,
    judge_keeping,
    read_retention,
    read_terms,
)
from leadmill.runtime.packs import load_packs

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEFAULTS = read_terms(load_packs())


def seen(days: int, state: str = "unsold", **more: Any) -> Seen:
    """A lead that came, and that nothing has happened to since, so many days ago."""
    at = NOW - timedelta(days=days)
    told = {"vertical": "solar", "region": "CA", "source": "acme", "closed_at": at, **more}
    return Seen(id="lead_1", person_id="person_1", state=state, received_at=at, **told)


@pytest.mark.parametrize(
    ("lead", "verdict"),
    [
        (seen(89), "schedule unsold"),
        (seen(90), "due unsold"),
        (seen(400, closed_at=NOW - timedelta(days=3)), "schedule unsold"),
        (seen(90, used_at=NOW - timedelta(days=90)), "law consent-record"),
        (seen(90, held=("hold_1",)), "hold hold_1"),
        (seen(90, busy=True), "busy "),
        (seen(4 * 365, "sold", used_at=NOW - timedelta(days=4 * 365)), "schedule sold"),
        (seen(6 * 365, "sold", used_at=NOW - timedelta(days=6 * 365)), "due sold"),
        (seen(6 * 365, "sold", used_at=NOW - timedelta(days=100)), "schedule sold"),
        (seen(6 * 365, "sold", used_at=NOW - timedelta(days=6 * 365), vertical="insurance_health"), "law aca-consent"),
        (
            seen(2000, "sold", used_at=NOW - timedelta(days=2000), vertical="legal", region="WA"),
            "law health-authorization",
        ),
        (seen(2000, "sold", used_at=NOW - timedelta(days=2000), vertical="legal"), "due sold"),
        (seen(9999, "bidding"), "unruled"),
    ],
)
def test_the_longest_term_wins_and_the_law_over_it(lead: Seen, verdict: str) -> None:
    found = judge_keeping(lead, DEFAULTS, NOW)
    if isinstance(found, Due):
        assert f"due {found.schedule}" == verdict
        assert found.at <= NOW
    elif isinstance(found, Kept):
        assert f"{found.by} {found.ident}" == verdict
        assert found.until is None or found.until > NOW
    else:
        assert verdict == "unruled"


def test_of_two_schedules_that_fit_the_longer_one_keeps() -> None:
    short, long = (
        Schedule(id="a", what="leads", keep="30d"),
        Schedule(id="b", what="leads", keep="60d", verticals=("solar",)),
    )
    terms = Terms({"a": short, "b": long})
    kept = judge_keeping(seen(45), terms, NOW)
    assert isinstance(kept, Kept)
    assert (kept.by, kept.ident) == ("schedule", "b")
    assert isinstance(judge_keeping(seen(45, vertical="legal"), terms, NOW), Due)


def test_a_person_goes_only_when_all_of_their_leads_are_due() -> None:
    due, kept = judge_keeping(seen(90), DEFAULTS, NOW), judge_keeping(seen(10), DEFAULTS, NOW)
    assert all_due([due, due])
    assert not all_due([due, kept])
    assert not all_due([due, Unruled()])
    assert not all_due([])


def test_a_declared_schedule_takes_the_place_of_a_default_and_a_retired_one_of_none() -> None:
    own = read_retention({"id": "unsold", "what": "leads", "keep": "30d", "states": ["unsold"]})
    gone = read_retention({"id": "sold", "what": "leads", "keep": "5y", "retired": True})
    terms = DEFAULTS.laid_over([own, gone])
    assert isinstance(judge_keeping(seen(30), terms, NOW), Due)
    assert isinstance(judge_keeping(seen(9999, "sold"), terms, NOW), Unruled)
    assert terms.least == DEFAULTS.least, "the law is not declared away"
    assert [one.what for one in in_turn(terms)][-1] == "leads", "what hangs on leads goes first"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"id": "a", "what": "lead", "keep": "1y"}, "what: must be one of leads"),
        ({"id": "a", "what": "leads", "keep": "soon"}, "keep: write a span such as 90d"),
        ({"id": "a", "what": "leads", "keep": "12h"}, "keep: write a span"),
        ({"id": "a", "what": "leads", "keep": "1y", "then": "delete"}, "then: what becomes of leads is 'forget'"),
        ({"id": "a", "what": "reads", "keep": "1y", "since": "used"}, "since: of reads it counts from received"),
        ({"id": "a", "what": "reads", "keep": "1y", "states": ["sold"]}, "reads are not told apart"),
        ({"id": "a", "what": "leads", "keep": "1y", "states": ["lost"]}, "states: must be of sold"),
        ({"id": "a", "what": "leads", "keep": "1y", "state": ["sold"]}, "state: is not a key here"),
    ],
)
def test_a_schedule_that_could_not_work_is_refused_with_its_place(table: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as fault:
        read_retention(table)
    assert fault.value.code == "config.retention.malformed"
    assert says in fault.value.detail


def test_every_least_term_of_the_packs_names_its_law() -> None:
    assert DEFAULTS.least
    assert all(one.citation and one.why and one.used for one in DEFAULTS.least)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        (datetime(2024, 2, 29, tzinfo=UTC), "1y", datetime(2025, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), "1mo", datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2026, 11, 20, tzinfo=UTC), "45d", datetime(2027, 1, 4, tzinfo=UTC)),
        (datetime(2026, 11, 20, tzinfo=UTC), "99999y", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_span_counts_forward_by_the_calendar(start: datetime, span: str, end: datetime) -> None:
    assert after(start, span) == end


def test_a_least_term_for_used_leads_says_nothing_of_unused_ones() -> None:
    law = Least(id="x", what="leads", keep="9y", since="used", citation="c", why="w", used=True)
    terms = Terms({"a": Schedule(id="a", what="leads", keep="1d")}, (law,))
    assert isinstance(judge_keeping(seen(5), terms, NOW), Due)
    assert isinstance(judge_keeping(seen(5, used_at=NOW), terms, NOW), Kept)
