"""Deletion lists: the platform's own examples of standardising and hashing, its files, the clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from leadmill.core.faults import BadInput
from leadmill.privacy import DropStatus, clock_of, identifiers, key_of, read_list, write_report
from leadmill.privacy.drop.rules import (
    hashed,
    standard_birth,
    standard_email,
    standard_name,
    standard_phone,
    standard_zip,
)

# Examples of the technical specifications, version 1.2.0 of 2 July 2026.
EXAMPLES: list[tuple[Callable[[str], str], str, str, str]] = [
    (standard_email, "Anna.Smith@Domain.com", "anna.smith@domain.com", "KA18MT/ph6IHYjzT9zwETySDQyvSh87YuoSBpOQtkhE="),
    (
        standard_email,
        " danielle.johnson12@example.com",
        "danielle.johnson12@example.com",
        "mKDnDvwF2inxrKcK1hJN2TRkxPfL6kzNNTtU12eH8Bw=",
    ),
    (standard_phone, "+1(415)555-9317", "4155559317", "vGM7y5n+hBXRSEAklhHDPCbysyNgYTmXdMcagGUOY8E="),
    (standard_phone, "+84(90)123 4567", "4901234567", "ptzVkgbv9DonwvPCHmXmJ2SEOaolSh37z3ZzY/Gmm+U="),
    (standard_phone, "+354(123)4567", "3541234567", "Btrzydf5K6ALAKKXJGFHSx7u5bDzHC9WlVYtpq1n2rY="),
    (standard_zip, "91790-3771", "91790", "2FPZucR4x7U8KlM+SFAX4LPGhwNz/PIZUCSUdDh0o/s="),
    (standard_zip, "M1B 1A1", "m1b1a", "n8L9q8mVeT6Xt9/EeUNiTukGDrkbPJ3DvOEx14uElxk="),
    (standard_zip, " 00712345", "71234", "aeNUYKh7Xw5sqpxSbSP9eOHsj6iXewbUyavv89DIuhQ="),
    (standard_zip, " 00300-9999", "300", "mDvWFLta/s5as7YCP3EUfNe2vCMU+dJ690IlQcZVg4k="),
    (standard_birth, "1776-07-04", "17760704", "skXYXxBER6HQTZ3rXSZH1wVGLQ054mS5rbR/bwvzy4I="),
    (standard_name, "Juan Pablo", "juanpablo", "91hIbrbzNeqHs3o81O5yNrXUj7wDd2shvZ6THKi9qz8="),
    (standard_name, "Martinez", "martinez", "2wRPGbwBNxhShjRczx8GfS2c4cjvs4NJskeWloUNtp8="),
]


@pytest.mark.parametrize(("standard", "given", "plain", "digest"), EXAMPLES)
def test_the_platforms_examples_come_out_as_it_says(
    standard: Callable[[str], str], given: str, plain: str, digest: str
) -> None:
    assert standard(given) == plain
    assert hashed(plain) == digest


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("José", "jose"),
        ("Müller-Straße", "mullerstrasse"),
        ("Иван", "ivan"),
        ("Γιώργος", "giorgos"),
        ("O’Brien Jr.", "obrienjr"),
        ("王芳", "王芳"),
    ],
)
def test_names_lose_accents_and_marks_and_are_written_in_latin_letters(given: str, plain: str) -> None:
    assert standard_name(given) == plain


def test_a_composite_hash_is_that_of_its_parts_hashes() -> None:
    values = {"first_name": ["Danielle"], "last_name": ["Johnson"], "date_of_birth": ["1985-07-04"], "zip": ["91790"]}
    assert dict(identifiers(values))["NDZ"] == "PQOfn1RffEKmqMmNAzDKKaoZCwxWbQZkQzPWmQo9REA="


def test_whoever_gave_several_names_is_looked_for_under_each_with_each() -> None:
    values = {
        "first_name": ["Ann", "Anna"],
        "last_name": ["Lee"],
        "date_of_birth": ["1980-01-02"],
        "zip": ["90210", "90211"],
        "email": ["a@b.co"],
    }
    found = list(identifiers(values))
    assert [of for of, _ in found] == ["Email", "NDZ", "NDZ", "NDZ", "NDZ"]
    assert len({entry for _, entry in found}) == 5
    assert not list(identifiers({"first_name": ["Ann"], "last_name": ["Lee"]})), "half an identifier finds nobody"


def test_a_list_is_read_by_its_name_and_lines_that_cannot_be_are_told() -> None:
    good = "KA18MT/ph6IHYjzT9zwETySDQyvSh87YuoSBpOQtkhE="
    found = read_list("20261120_4821_Email.csv", f"\ufeffID,Hash\r\nAbCdEf123456,{good}\r\n\r\nx,short\r\n")
    assert found.list == "Email"
    assert [(line.id, line.hash) for line in found.lines] == [("AbCdEf123456", good)]
    assert found.unreadable == (4,)
    removed = read_list("20261120_4821_Removed.csv", f"ID,Hash,ListType\nAbCdEf123456,{good},Email\n")
    assert removed.removed
    assert removed.list is None


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("people.csv", "ID,Hash\n", "privacy.drop.unnamed"),
        ("20261120_4821_Phone.csv", "email\na@b.co\n", "privacy.drop.header"),
        ("20261120_4821_Phone.csv", "", "privacy.drop.header"),
    ],
)
def test_what_is_no_list_is_refused(name: str, text: str, code: str) -> None:
    with pytest.raises(BadInput) as fault:
        read_list(name, text)
    assert fault.value.code == code


def test_the_answer_has_a_line_for_each_entry_that_was_worked() -> None:
    statuses = {"a": DropStatus.DELETED, "b": DropStatus.NOT_FOUND, "c": DropStatus.OPTED_OUT}
    assert write_report(statuses, ["b", "a", "d"]) == "Id,Status\r\nb,5\r\na,3\r\n"


def test_the_key_of_an_entry_tells_lists_apart() -> None:
    def keyed(purpose: str, text: str) -> bytes:
        return f"{purpose}/{text}".encode()

    assert key_of(keyed, "Email", "x") != key_of(keyed, "Phone", "x")


def test_lists_are_due_again_after_forty_five_days() -> None:
    last = datetime(2026, 10, 8, 9, tzinfo=UTC)
    assert clock_of(last, last + timedelta(days=45)).late is False
    assert clock_of(last, last + timedelta(days=45, seconds=1)).late is True
    assert clock_of(None, last).due is None
