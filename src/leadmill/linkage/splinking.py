"""The same fields as Splink wants them: comparisons by kind, blocking rules that stay within a budget, its training.

Used by :mod:`leadmill.linkage.spark`; the benchmark of ``resolve`` runs the same model on DuckDB as the peer's figure.
Splink is no dependency: it is loaded here when it is asked for, and its absence is a coded fault that says what to
install. Its model is Fellegi and Sunter's as ours is; estimation and clustering are its own.
"""

import importlib
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from msgspec import Struct

from leadmill.core.faults import Permanent
from leadmill.linkage.model import Field, Kind

BUDGET = 60
"""Pairs a record that all blocking rules together may bring."""
_ALONE = (Kind.IDENTIFIER, Kind.EMAIL, Kind.PHONE, Kind.FULL_NAME, Kind.DATE, Kind.STREET)
_TOGETHER = (
    (Kind.FAMILY_NAME,),
    (Kind.GIVEN_NAME, Kind.FAMILY_NAME),
    (Kind.FAMILY_NAME, Kind.DATE),
    (Kind.GIVEN_NAME, Kind.DATE),
    (Kind.GIVEN_NAME,),
    (Kind.GIVEN_NAME, Kind.POSTCODE),
    (Kind.FAMILY_NAME, Kind.POSTCODE),
    (Kind.DATE, Kind.POSTCODE),
    (Kind.GIVEN_NAME, Kind.CITY),
    (Kind.FAMILY_NAME, Kind.CITY),
    (Kind.DATE, Kind.CITY),
    (Kind.STREET, Kind.HOUSE_NUMBER),
    (Kind.FAMILY_NAME, Kind.STREET),
    (Kind.FAMILY_NAME, Kind.SEX),
)


class Plan(Struct, frozen=True):
    """How Splink goes about it: columns are called ``f0``, ``f1`` … by the field's place; a rule is the places that
    must agree. ``rules`` bring the pairs, ``training`` those that each estimation is done on, ``sure`` those from which
    the share of matches is estimated."""

    fields: tuple[Field, ...]
    rules: tuple[tuple[int, ...], ...]
    training: tuple[tuple[int, ...], ...]
    sure: tuple[tuple[int, ...], ...]


def load(part: str = "splink") -> Any:
    """Splink, or a part of it. Raises :class:`Permanent` ``linkage.splink.missing``."""
    try:
        return importlib.import_module(part)
    except ImportError:
        says = "Splink is not installed; install Leadmill with its extra: pip install 'leadmill[spark]'"
        raise Permanent("linkage.splink.missing", says) from None


def plan(fields: Sequence[Field], columns: Sequence[Sequence[str]], records: int, most: int = 16) -> Plan:
    """Rules for these fields, ``most`` of them: those that are known to serve, as long as the pairs they bring, judged
    by a sample of the values, stay within the budget. ``columns`` are a sample's plain values by field, ``records`` how
    many there are."""
    sample = len(columns[0]) if columns else 0
    scale = (records / sample) ** 2 if sample else 0.0
    left = BUDGET * records * 1.0
    rules: list[tuple[int, ...]] = []
    weighed = [(rule, _pairs(columns, rule) * scale) for rule in _candidates(fields)]
    for rule, pairs in weighed:
        if any(set(other) <= set(rule) for other in rules):
            continue
        if pairs <= left and len(rules) < most:
            rules.append(rule)
            left -= pairs
    if not rules:
        rules = [min(weighed, key=lambda each: each[1])[0]]
    brought = dict(weighed)
    sure = sorted((rule for rule in rules if brought[rule]), key=lambda rule: brought[rule])[:3]
    return Plan(tuple(fields), tuple(rules), _training(rules, brought), tuple(sure))


def _candidates(fields: Sequence[Field]) -> list[tuple[int, ...]]:
    """Rules worth a try, the best first: places of fields that must agree."""
    places: dict[Kind, list[int]] = {}
    compared = places_compared(fields)
    for place in compared:
        places.setdefault(fields[place].kind, []).append(place)
    found: list[tuple[int, ...]] = [(place,) for kind in _ALONE for place in places.get(kind, ())]
    found += [tuple(places[kind][0] for kind in kinds) for kinds in _TOGETHER if all(kind in places for kind in kinds)]
    found += list(combinations(compared, 2))
    found += [(place,) for place in compared]
    return list(dict.fromkeys(found))


def places_compared(fields: Sequence[Field]) -> list[int]:
    """The places of the fields that Splink compares: no whole name beside its parts, which would count them twice."""
    parts = {Kind.GIVEN_NAME, Kind.FAMILY_NAME} <= {field.kind for field in fields}
    return [place for place, field in enumerate(fields) if not (parts and field.kind is Kind.FULL_NAME)]


def _pairs(columns: Sequence[Sequence[str]], rule: tuple[int, ...]) -> float:
    keys = Counter(key for key in zip(*(columns[place] for place in rule), strict=True) if all(key))
    return float(sum(count * (count - 1) // 2 for count in keys.values()))


def _training(rules: Sequence[tuple[int, ...]], brought: dict[tuple[int, ...], float]) -> tuple[tuple[int, ...], ...]:
    """Rules to estimate on, so that no field is in all of them: what a rule demands it cannot teach."""
    useful = [rule for rule in rules if brought[rule] > 0] or list(rules)
    chosen = [useful[0]]
    for rule in useful[1:]:
        common = set.intersection(*map(set, chosen))
        if not common:
            break
        if len(common & set(rule)) < len(common):
            chosen.append(rule)
    return tuple(chosen)


def train(found: Plan, table: Any, quick: bool = False) -> Any:
    """A linker of Splink over a table registered with its backend, with columns ``unique_id`` and ``f0``, ``f1`` …,
    its model estimated; ``quick`` leaves term frequencies out of the estimation, not of the result. A rule on which an
    estimation cannot be done, because nothing or everything agrees, is passed over."""
    splink = load()
    library = load("splink.comparison_library")
    compared = places_compared(found.fields)
    comparisons = [_comparison(library, found.fields[place], f"f{place}") for place in compared]
    settings = splink.SettingsCreator(
        link_type="dedupe_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[_rule(splink, rule) for rule in found.rules],
        retain_matching_columns=False,
    )
    linker = splink.Linker(table, settings, log_level="ERROR")
    if found.sure:
        linker.training.estimate_probability_two_random_records_match(
            [_rule(splink, rule) for rule in found.sure], recall=0.7
        )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=None)
    for rule in found.training:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                _rule(splink, rule), estimate_without_term_frequencies=quick, record_sample_proportion=1.0
            )
        except (splink.internals.exceptions.EMTrainingException, ValueError):
            continue
    return linker


def _rule(splink: Any, rule: tuple[int, ...]) -> Any:
    return splink.block_on(*(f"f{place}" for place in rule))


def _comparison(library: Any, field: Field, column: str) -> Any:
    """A kind's comparison: what Splink's own guides take for it."""
    match field.kind:
        case Kind.GIVEN_NAME | Kind.FAMILY_NAME | Kind.FULL_NAME:
            made = library.JaroWinklerAtThresholds(column, [0.95, 0.88, 0.8])
        case Kind.DATE | Kind.IDENTIFIER:
            made = library.DamerauLevenshteinAtThresholds(column, [1, 2])
        case Kind.EMAIL:
            made = library.EmailComparison(column)
        case Kind.PHONE | Kind.POSTCODE | Kind.STATE:
            made = library.LevenshteinAtThresholds(column, [1, 2])
        case Kind.CITY | Kind.STREET | Kind.TEXT:
            made = library.JaroWinklerAtThresholds(column, [0.95, 0.88])
        case Kind.HOUSE_NUMBER:
            made = library.LevenshteinAtThresholds(column, [1])
        case _:
            made = library.ExactMatch(column)
    rare = field.kind not in (Kind.DATE, Kind.IDENTIFIER, Kind.PHONE, Kind.EMAIL, Kind.SEX)
    return made.configure(term_frequency_adjustments=True) if rare else made
