"""Kinds of evidence: which names are of which, and what a rule about one waits for."""

from typing import get_args

import pytest

from leadmill.parties import Demand
from leadmill.policy.families import EVERY, FAMILIES, families_in, family_of, names_in
from leadmill.policy.service import read_laws

LAWS = read_laws()


def test_every_kind_has_names_that_rules_look_at() -> None:
    assert set(FAMILIES) == set(get_args(Demand)) == EVERY
    looked = {name.removeprefix("given.") for law in LAWS for rule in law.rules for name in names_in(rule)}
    for kind, family in FAMILIES.items():
        if kind not in ("licence_age", "licence_line"):  # of licences, the tables look at them
            assert any(family_of(name) == kind for name in looked), family


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("consent.certificate", "certificate"),
        ("given.consent.certificate", "certificate"),
        ("consent.certificate.matched", "certificate"),
        ("consent.kind", None),
        ("facts.dnc.listed", "dnc"),
        ("facts.dnc.state_listed", "state_dnc"),
        ("facts.suppression.phone", None),
        ("lead.statement", None),
    ],
)
def test_a_name_is_of_a_kind_by_its_beginning(name: str, kind: str | None) -> None:
    assert family_of(name) == kind


def test_a_rule_about_opt_outs_or_consent_waits_for_nothing() -> None:
    for law in LAWS:
        for rule in law.rules:
            if rule.id in ("TEL-01", "TEL-05", "TEL-06", "EML-02", "FTC-1", "FTC-2", "CA-08", "SP-OR"):
                assert not families_in(names_in(rule)), rule.id
