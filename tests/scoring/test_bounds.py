"""What packs let models look at, and the limits they hold them to."""

from typing import Any

import msgspec
import pytest

from leadmill.capture import read_verticals
from leadmill.core.faults import BadInput
from leadmill.flow.rating import Models, Shelf, disallowed, limits_of, unfair
from leadmill.learning import Limits
from leadmill.runtime.packs import load_packs
from leadmill.scoring import NO_BOUNDS, Bounds, read_bounds
from leadmill.scoring.bounds import class_of, foreign, read_bound
from tests.scoring.test_models import model, record

PACKS = load_packs()
BOUNDS = read_bounds(PACKS, read_verticals(PACKS))
REGULATED = sorted(name for name in BOUNDS if name == "mortgage" or name.startswith("insurance"))


def test_every_pack_says_what_models_may_look_at() -> None:
    assert set(BOUNDS) == set(PACKS.verticals)
    assert all(not Limits().milder_than(one.limits) or one.limits == Limits() for one in BOUNDS.values())
    assert [name for name, one in BOUNDS.items() if one.audit] == REGULATED


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_no_pack_lets_models_look_at_names_ages_sexes_or_languages(name: str) -> None:
    for column in ("first_name", "last_name", "name.plausible", "age", "person.age", "gender", "language"):
        assert BOUNDS[name].why_not(column), column


@pytest.mark.parametrize("name", [*REGULATED, "education", "legal"])
def test_where_somebody_lives_stands_in_for_nothing_where_the_law_says_so(name: str) -> None:
    for column in ("zip", "city", "county", "ip.state", "zip.city", "address.kind"):
        assert BOUNDS[name].why_not(column), column
    assert not BOUNDS["solar"].why_not("zip")


@pytest.mark.parametrize("name", REGULATED)
def test_what_a_regulated_pack_names_is_there(name: str) -> None:
    assert {one for one in BOUNDS[name].names if not one.endswith(".*")} <= BOUNDS[name].fields


@pytest.mark.parametrize(
    ("column", "unknown"),
    [
        ("monthly_bill", False),
        ("zip", False),
        ("phone.valid", False),
        ("context.visits", False),
        ("fraud.score", False),
        ("company.size of staff", False),
        ("Total Time Spent on Website", True),
        ("Unnamed: 0", True),
        ("Dr. Who", True),
        ("decided_at", True),
        ("extra.tags", True),
        ("company.", True),
    ],
)
def test_a_name_is_foreign_where_no_lead_can_have_it(column: str, unknown: bool) -> None:
    assert foreign(column, BOUNDS["solar"].fields) is unknown


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("monthly_bill", "fields"),
        ("phone.valid", "checks"),
        ("context.visits", "visit"),
        ("source", "origin"),
        ("fraud.score", "origin"),
        ("company.employees", "brought"),
    ],
)
def test_each_name_is_of_a_class(column: str, kind: str) -> None:
    assert class_of(column, BOUNDS["solar"].fields) == kind
    closed = read_bound({"looks_at": {"classes": []}}, "here", BOUNDS["solar"].fields)
    named = read_bound({"looks_at": {"classes": [], "names": [column]}}, "here", BOUNDS["solar"].fields)
    assert closed.why_not(column) and not named.why_not(column) and not NO_BOUNDS.why_not(column)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"looks_at": {"classes": ["everything"]}}, "fields, checks, visit"),
        ({"looks_at": {"class": []}}, "did you mean 'classes'"),
        ({"barred": {"zip": ""}}, "must say for each name why"),
        ({"limits": {"least_ratio": 1.2}}, "must be a number from 0 to 1"),
        ({"audits": True}, "did you mean 'audit'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says) as told:
        read_bound(raw, "solar/fairness.toml", frozenset())
    assert told.value.code == "scoring.bounds.malformed"


AUDIT = {"attribute": "sex", "passes": True, "says": [], "thresholds": [{"ratio": 0.9}]}


def card(**more: Any) -> dict[str, Any]:
    return {"fairness": {"protected": ["sex"], "least_ratio": 0.8, "audits": [AUDIT], "proxies": [], **more}}


STRICT = Bounds(limits=Limits(least_ratio=0.85, most_gap=0.02), audit=True)


@pytest.mark.parametrize(
    ("found", "bounds", "says"),
    [
        (card(), None, ""),
        ({}, None, ""),
        (card(least_ratio=0.7), None, "least_ratio 0.8"),
        (card(), STRICT, "least_ratio 0.85, most_gap 0.02"),
        (card(limits={"least_ratio": 0.9, "most_gap": 0.02}), STRICT, ""),
        ({}, STRICT, "after an audit"),
        (card(audits=[{**AUDIT, "thresholds": []}]), STRICT, "after an audit"),
        (card(passes=False, audits=[{**AUDIT, "passes": False, "says": ["ratio 0.61 of b"]}]), None, "ratio 0.61 of b"),
        (card(proxies=[{"attribute": "sex", "auc": 0.8}]), None, ""),
        (card(proxies=[{"attribute": "sex", "auc": 0.8}]), NO_BOUNDS, "tell sex with an AUC of 0.80"),
    ],
)
def test_a_card_is_held_against_the_limits_of_the_pack(found: dict[str, Any], bounds: Bounds | None, says: str) -> None:
    told = unfair(found, bounds)
    assert says in told if says else told == ""


def test_a_card_of_before_was_held_to_the_usual_limits() -> None:
    assert limits_of({}) == Limits() == limits_of(card())
    assert limits_of(card(limits=msgspec.to_builtins(STRICT.limits))) == STRICT.limits


def test_a_model_that_the_packs_allow_no_more_is_not_heard_and_told() -> None:
    shelf = Shelf()
    shelf._models["a" * 64] = model()
    barring = {"solar": Bounds(barred={"debt": "debts are nobody's business"})}
    assert "solar" in Models({"one": record()}, shelf).panels
    found = Models({"one": record()}, shelf, barring)
    assert (found.panels, found.muted) == ({}, {"one": "it looks at debt: debts are nobody's business"})
    assert found.changed([record("two", state="shadow")]).muted.keys() == {"one", "two"}
    # Who decides nothing needs no audit.
    audited = Bounds(audit=True)
    assert "after an audit" in disallowed(record(), model(), audited)
    assert disallowed(record(state="shadow"), model(), audited) == ""
