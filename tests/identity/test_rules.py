"""Normal forms, and whose lead it is where keys disagree."""

import pytest

from leadmill.identity.rules import Owner, choose, email_key, name_key

ANN, BEA = Owner("person_ann", b"ann"), Owner("person_bea", b"bea")


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("ann.lee+solar@gmail.com", "annlee@gmail.com"),
        ("A.n.n.Lee@GoogleMail.com", "annlee@gmail.com"),
        ("ann.lee+solar@example.com", "ann.lee+solar@example.com"),
        ("Ann@Example.com", "ann@example.com"),
    ],
)
def test_one_mailbox_has_one_key(address: str, key: str) -> None:
    assert email_key(address) == key


@pytest.mark.parametrize(
    ("first", "last", "key"),
    [
        ("José", "Núñez-Díaz", "jose nunezdiaz"),
        ("JOSE", "nunez diaz", "jose nunezdiaz"),
        (None, "Lee", " lee"),
        ("Ann", None, None),
    ],
)
def test_names_are_compared_without_case_accents_and_signs(
    first: str | None, last: str | None, key: str | None
) -> None:
    assert name_key(first, last) == key


@pytest.mark.parametrize(
    ("email", "phone", "name", "owner", "matched", "rival", "rival_on"),
    [
        (None, None, b"ann", None, (), None, None),
        (ANN, None, b"bea", ANN, ("email",), None, None),
        (None, BEA, b"ann", BEA, ("phone",), None, None),
        (ANN, ANN, None, ANN, ("email", "phone"), None, None),
        (ANN, BEA, None, ANN, ("email",), "person_bea", "phone"),
        (ANN, BEA, b"ann", ANN, ("email",), "person_bea", "phone"),
        (ANN, BEA, b"cleo", ANN, ("email",), "person_bea", "phone"),
        (ANN, BEA, b"bea", BEA, ("phone", "name"), "person_ann", "email"),
        (Owner("person_x", b"bea"), BEA, b"bea", Owner("person_x", b"bea"), ("email",), "person_bea", "phone"),
        (Owner("person_x"), BEA, b"bea", BEA, ("phone", "name"), "person_x", "email"),
    ],
)
def test_the_mailbox_counts_unless_only_the_phone_has_the_name(
    email: Owner | None,
    phone: Owner | None,
    name: bytes | None,
    owner: Owner | None,
    matched: tuple[str, ...],
    rival: str | None,
    rival_on: str | None,
) -> None:
    choice = choose(email, phone, name)
    assert (choice.owner, choice.matched_on, choice.rival, choice.rival_on) == (owner, matched, rival, rival_on)
