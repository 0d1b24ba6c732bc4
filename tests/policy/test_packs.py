"""The law packs that come with the program: every rule is played through its own examples."""

from datetime import datetime
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.predicates import compile_predicate, parse
from leadmill.parties import read_buyer
from leadmill.policy import Law, law_of, read_law
from leadmill.policy.model import LicenceRule
from leadmill.policy.rules import missing_licence, ready
from leadmill.runtime.packs import BUILT_IN, load_packs
from tests.policy.leads import NOW

PACKS = load_packs(BUILT_IN).laws
LAWS = {name: law_of(pack) for name, pack in PACKS.items()}
RULES = [
    (name, rule)
    for name, pack in PACKS.items()
    for file in pack.files.values()
    for rule in file.get("rule", [])
    if "scope" in rule  # a rule of cases is shown by the cases of tests/policy/cases
]
LICENCES = [(law, rule) for law in LAWS.values() for rule in law.licences]


def holds(rule: dict[str, Any], given: dict[str, Any]) -> bool:
    """Whether a rule speaks, its states and verticals included."""
    if rule.get("states") and given.get("state") not in rule["states"]:
        return False
    if rule.get("verticals") and given.get("vertical") not in rule["verticals"]:
        return False
    return compile_predicate(parse(rule["when"], rule["id"]))(given, NOW)


@pytest.mark.parametrize(("pack", "rule"), RULES, ids=lambda value: value["says"] if isinstance(value, dict) else value)
def test_a_rule_speaks_and_is_silent_as_its_examples_say(pack: str, rule: dict[str, Any]) -> None:
    examples = rule.get("examples", [])
    assert {example["speaks"] for example in examples} == {True, False}, "show when it speaks and when it does not"
    for example in examples:
        assert holds(rule, example["given"]) is example["speaks"], example


@pytest.mark.parametrize("name", LAWS)
def test_every_rule_of_a_pack_cites_where_it_is_written(name: str) -> None:
    law = LAWS[name]
    assert law.rules or law.licences
    told = [(rule.citation, rule.says) for rule in law.rules] + [(rule.citation, rule.says) for rule in law.licences]
    assert all(citation and says.endswith(".") for citation, says in told)


@pytest.mark.parametrize(
    ("law", "rule"), LICENCES, ids=lambda value: value.citation if isinstance(value, LicenceRule) else value.name
)
def test_a_licence_is_asked_for_where_the_rule_says(law: Law, rule: LicenceRule) -> None:
    state = rule.states[0] if rule.states else "CA"
    day = rule.effective_from or NOW.date()

    def asked(*licences: dict[str, Any]) -> bool:
        buyer = read_buyer({"id": "b", "name": "B", "licences": list(licences)})
        return missing_licence([law], buyer, rule.verticals[0], state, day) is not None

    held = {"kind": rule.kinds[0], "number": "1", "states": [state]}
    assert asked()
    assert not asked(held)
    assert asked({**held, "kind": "FISHING"})
    assert asked({**held, "states": ["HI" if state != "HI" else "AK"]})
    assert asked({**held, "expires": "2020-01-01"})
    assert asked({**held, "active": False})


WRONG: dict[str, dict[str, Any]] = {
    "an unknown key": {"colour": "blue"},
    "an unknown scope": {"scope": "world"},
    "an unknown decision": {"decision": "maybe"},
    "no citation": {"citation": None},
    "a wrong operator": {"when": [{"field": "x", "equals": 1}]},
    "a wrong day": {"effective_from": "soon"},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_pack_with_a_mistake_is_refused_with_its_place(what: str) -> None:
    rule: dict[str, Any] = {"id": "X-1", "citation": "c", "scope": "lead", "says": "No.", "when": []}
    raw = {name: value for name, value in {**rule, **WRONG[what]}.items() if value is not None}
    with pytest.raises(BadInput) as caught:
        read_law("mine", "", {"title": "Mine"}, {"rule": [raw]})
    assert "mine" in caught.value.detail


STATUS = [("in_force", True), ("pending", False), ("waived", False), ("vacated", False)]


@pytest.mark.parametrize(("status", "counts"), STATUS)
def test_only_rules_in_force_count(status: str, counts: bool) -> None:
    rule = {"id": "X-1", "citation": "c", "scope": "lead", "says": "No.", "when": [], "status": status}
    law = read_law("mine", "", {}, {"rule": [rule]})
    assert bool(ready([law], "lead")) is counts


def test_nothing_is_decided_by_the_clock_of_the_machine() -> None:
    law = read_law(
        "mine",
        "",
        {},
        {"licence": [{"id": "L", "citation": "c", "verticals": ["solar"], "kinds": ["K"], "says": "No."}]},
    )
    buyer = read_buyer(
        {"id": "b", "name": "B", "licences": [{"kind": "K", "number": "1", "states": ["CA"], "expires": "1999-12-31"}]}
    )
    assert missing_licence([law], buyer, "solar", "CA", datetime(1999, 12, 31).date()) is None
    assert missing_licence([law], buyer, "solar", "CA", datetime(2000, 1, 1).date()) is not None
