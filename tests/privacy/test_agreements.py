"""What was agreed with whoever gets personal data, what lacks and what ends soon."""

from datetime import date
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.parties import read_buyer
from leadmill.privacy import read_agreement, review
from leadmill.privacy.agreements import in_force

DAY = date(2026, 11, 22)


def buyer(ident: str, **contract: Any) -> Any:
    return read_buyer({"id": ident, "name": ident.title(), **({"contract": contract} if contract else {})})


def agreement(ident: str, **more: Any) -> Any:
    return read_agreement({"id": ident, "version": "1.0", "signed": "2026-01-05", "covers": ["processor"], **more})


def test_a_buyer_without_privacy_terms_lacks_them_and_is_sold_nothing() -> None:
    bound, loose, none = (
        buyer("bound", signed="2026-01-05", privacy_terms=True, ends="2026-12-31"),
        buyer("loose", signed="2026-01-05"),
        buyer("none"),
    )
    paper = agreement("loose-dpa", buyer="loose", covers=["privacy", "breach"])
    found = {one.id: one for one in review([paper], {"bound": bound, "loose": loose, "none": none}, [], DAY)}
    assert not found["bound"].lacking
    assert not found["bound"].refused
    assert found["bound"].soon, "its contract ends in 39 days"
    assert not found["loose"].lacking, "the agreement says what the contract does not"
    assert found["loose"].refused, "the policy goes by the contract"
    assert found["none"].lacking == ("privacy",)
    assert found["none"].refused


def test_a_provider_needs_an_agreement_as_processor_that_stands() -> None:
    papers = [
        agreement("old", provider="line", signed="2024-01-01", ends="2026-01-01"),
        agreement("mail", messenger="email", ends="2027-06-01", covers=["processor", "deletion"]),
    ]
    first, second = review(papers, {}, [("messenger", "email", "Mail"), ("provider", "line", "Line")], DAY)
    assert (first.id, first.lacking, first.lapsed) == ("line", ("processor",), True)
    assert (second.id, second.lacking, second.soon) == ("email", (), False)


def test_of_several_versions_the_one_signed_last_counts() -> None:
    papers = [
        agreement("a", provider="line", version="1.0"),
        agreement("b", provider="line", version="2.1", signed="2026-09-01"),
        agreement("c", provider="line", version="3.0", signed="2027-01-01"),
    ]
    assert in_force(papers, "provider", "line", DAY) == "2.1"
    assert in_force(papers, "provider", "other", DAY) == ""


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "say with whom"),
        ({"buyer": "a", "provider": "b"}, "say with whom"),
        ({"buyer": "a", "covers": ["privcy"]}, "did you mean 'privacy'?"),
        ({"buyer": "a", "ends": "2025-01-01"}, "ends: must not be before it was signed"),
        ({"buyer": "a", "sha256": "12"}, "sha256: must be 64 hexadecimal digits"),
        ({"buyer": "a", "sign": "x"}, "sign: is not a key here"),
    ],
)
def test_an_agreement_that_says_too_little_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=r"agreement x") as fault:
        agreement("x", **more)
    assert says in fault.value.detail
