"""The vendors' stand-ins: a name says what was typed and when, and nobody else makes one."""

from random import Random

import pytest

from leadmill_demo.vendors import HOST, Made, fingerprint, issue_certificate, issue_token, national, read_name


def test_a_name_holds_what_was_typed_and_when() -> None:
    address = issue_certificate("Ann@Example.com ", "+1 (916) 200-0001", 1_795_000_000.7, Random(3))
    assert address.startswith(f"{HOST}/")
    made = read_name("tf", address.rpartition("/")[2], 8)
    assert made == Made(fingerprint("ann@example.com")[:8], fingerprint("9162000001")[:8], 1_795_000_000)
    token = issue_token("ann@example.com", "9162000001", 1_795_000_000, Random(3))
    assert len(token) == 36
    assert read_name("leadid", token, 6) == Made(made.email[:6], made.phone[:6], made.at)


@pytest.mark.parametrize("name", ["", "x", "0" * 40, "eb9fc4dd9bed9ad451a5648946cf4bf09b5bb947"])
def test_a_name_that_was_made_elsewhere_is_none(name: str) -> None:
    assert read_name("tf", name, 8) is None


def test_two_visits_of_one_person_have_two_names() -> None:
    rng = Random(3)
    assert len({issue_certificate("a@example.com", "9162000001", 0, rng) for _ in range(50)}) == 50
    assert national("+1 916-200-0001") == national("9162000001")
