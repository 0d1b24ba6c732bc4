"""What the parts of an e-mail address say."""

import random

import pytest

from leadmill.facts.domains import is_reserved
from leadmill.facts.rules import email_facts, find_facts
from leadmill.facts.rules.email import carries_name, is_struck, meant_domain
from tests.facts.places import NOW, reference
from tests.facts.test_name_facts import census


def values_of(address: str) -> dict[str, object]:
    return {fact.key.removeprefix("email."): fact.value for fact in email_facts(address, reference())}


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmial.con", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("iclould.com", "icloud.com"),
        ("comcast.nte", "comcast.net"),
        ("gmail.com", None),
        ("ymail.com", None),
        ("mail.com", None),
        ("email.com", None),
        ("fmail.com", None),
        ("brookmill.example", None),
        ("gmail.example.com", None),
        ("cox.com", None),
        ("live.nl", None),
        ("aim.com", None),
        ("gail.com", "gmail.com"),
        ("mailinator.com", None),
    ],
)
def test_a_slip_in_a_common_domain_is_pointed_out_and_others_are_left_alone(domain: str, meant: str | None) -> None:
    assert meant_domain(domain, reference()) == meant


def test_a_suggestion_leaves_the_address_as_it_is() -> None:
    found = values_of("Ann.Lee@gmial.com")
    assert found["suggestion"] == "Ann.Lee@gmail.com"
    assert (found["normal"], found["domain"]) == ("Ann.Lee@gmial.com", "gmial.com")


@pytest.mark.parametrize(
    ("address", "mailbox", "tag"),
    [
        ("ann.lee+solar@gmail.com", "annlee@gmail.com", "solar"),
        ("Ann.Lee@gmail.com", "annlee@gmail.com", None),
        ("ann.lee+x@example.com", "ann.lee@example.com", "x"),
        ("ann.lee@example.com", None, None),
        ("+x@example.com", None, None),
    ],
)
def test_the_mailbox_behind_an_address_is_known(address: str, mailbox: str | None, tag: str | None) -> None:
    found = values_of(address)
    assert (found.get("mailbox"), found.get("tag")) == (mailbox, tag)


@pytest.mark.parametrize(
    ("address", "role"), [("info@helio.example.com", True), ("Sales@example.com", True), ("ann@example.com", False)]
)
def test_an_offices_mailbox_is_told_from_a_persons(address: str, role: bool) -> None:
    assert ("role" in values_of(address)) is role


@pytest.mark.parametrize(
    ("local", "first", "last", "carries"),
    [
        ("ann.lee", "ann", "lee", True),
        ("alee99", "ann", "lee", True),
        ("leeann", "ann", "lee", True),
        ("al", "ann", "lee", True),
        ("jgarciamarquez", "gabriel", "garcia marquez", True),
        ("rsmith4", "robert", "smithson", True),
        ("dancingqueen", "ann", "lee", False),
        ("robert.miller", "ann", "lee", False),
        ("12345", "ann", "lee", False),
        ("x", "", "", False),
    ],
)
def test_an_address_carries_a_name_or_does_not(local: str, first: str, last: str, carries: bool) -> None:
    assert carries_name(local, first, last) is carries


def test_that_an_address_does_not_carry_the_name_is_held_against_nobody() -> None:
    facts = find_facts(
        {"first_name": "Ann", "last_name": "Lee", "email": "dancingqueen@example.com"}, {}, reference(), NOW
    )
    (found,) = [fact for fact in facts if fact.key == "agree.name_email"]
    assert (found.value, found.outcome) == (False, "unknown")


def test_mailboxes_made_from_real_names_are_not_taken_for_struck_keys() -> None:
    rng = random.Random(11)
    first, last = census("dist.female.first") + census("dist.male.first"), census("dist.all.last")
    shapes = (
        lambda a, b: a + b, lambda a, b: a[0] + b, lambda a, b: b + a[0], lambda a, b: a + b[0],
        lambda a, b: a[:3] + b[:4], lambda a, b: a[:2] + b, lambda a, b: b + a, lambda a, b: b,
    )  # fmt: skip
    made = {rng.choice(shapes)(rng.choice(first), rng.choice(last)) for _ in range(20_000)}
    doubted = [local for local in made if is_struck(local, reference())]
    assert len(doubted) <= 0.005 * len(made), doubted[:50]
    struck = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(8, 12))) for _ in range(2_000)]
    assert sum(is_struck(local, reference()) for local in struck) > 0.5 * len(struck)


@pytest.mark.parametrize(
    ("domain", "reserved"),
    [
        ("example.com", True),
        ("mail.example.org", True),
        ("shop.test", True),
        ("helio.example", True),
        ("notexample.com", False),
        ("gmail.com", False),
    ],
)
def test_domains_kept_for_examples_are_known(domain: str, reserved: bool) -> None:
    assert is_reserved(domain) is reserved
