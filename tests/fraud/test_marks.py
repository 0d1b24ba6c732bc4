"""What a lead is counted by: normal forms, and what gives no mark."""

from typing import Any

import pytest

from leadmill.facts import Fact
from leadmill.fraud import Kind
from leadmill.fraud.marks import marks_of, name_mark, places_of
from leadmill.identity import Identity
from tests.fraud.scene import VAULT, card_with, case_of, dossier, lead

PUBLIC = Fact("ip.public", True, "pass", "test")


def marks(
    *facts: Fact, shared: tuple[str, ...] = (), fields: dict[str, Any] | None = None, **context: Any
) -> dict[Kind, bytes]:
    one = lead(**context)
    if fields is not None:
        one.fields.update(fields)
    card = card_with(shared=shared)
    found = marks_of(card, one, dossier(*facts), case_of(one)[Identity], VAULT.keyed_hash)
    return {mark.kind: mark.hash for mark in found}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("198.35.26.96", ("198.35.26.96", "198.35.26.0/24")),
        (" 198.35.26.96 ", ("198.35.26.96", "198.35.26.0/24")),
        ("2620:0:862:ed1a::1", ("2620:0:862:ed1a::1", "2620:0:862:ed1a::/64")),
        ("2620:0000:0862:ed1a:0:0:0:1", ("2620:0:862:ed1a::1", "2620:0:862:ed1a::/64")),
        ("::ffff:198.35.26.96", ("198.35.26.96", "198.35.26.0/24")),
        ("10.0.0.7", None),
        ("127.0.0.1", None),
        ("203.0.113.7", None),
        ("fe80::1", None),
        ("198.35.26.960", None),
        ("a visitor", None),
        ("", None),
    ],
)
def test_an_address_is_counted_in_its_normal_form_where_a_visitor_can_have_it(
    text: str, places: tuple[str, str] | None
) -> None:
    assert places_of(text) == places


def test_a_shared_network_is_not_counted() -> None:
    assert places_of("198.35.26.96", ("198.35.26.0/24",)) is None
    assert places_of("198.35.27.96", ("198.35.26.0/24",)) is not None
    assert "ip" not in marks(PUBLIC, ip="198.35.26.96", shared=("198.35.0.0/16",))


@pytest.mark.parametrize("ip", ["198.35.26.96", "2620:0:862:ed1a::1"])
def test_an_address_gives_the_same_marks_whether_it_was_looked_at_before_or_not(ip: str) -> None:
    assert marks(PUBLIC, ip=ip) == marks(ip=ip)
    assert {"ip", "net"} <= set(marks(ip=ip))


def test_an_address_that_was_looked_at_elsewhere_is_looked_at_again() -> None:
    assert "ip" not in marks(PUBLIC, ip="10.0.0.7", fields={"ip": "198.35.26.96"})
    assert "ip" not in marks(ip=7) and "ip" not in marks(ip=None)


def test_a_home_is_one_however_it_is_written() -> None:
    assert marks(fields={"address": "12 OAK ST."})["address"] == marks()["address"]
    assert marks(fields={"address": "13 Oak St"})["address"] != marks()["address"]
    assert marks(Fact("address.line", "12 OAK ST", "pass", "test"), fields={"address": "12, Oak Street"}) == marks()
    assert "address" not in marks(fields={"zip": ""})


def test_a_device_is_what_somebody_calls_it() -> None:
    assert marks(device_id=" d-1 ")["device"] == marks(device_id="d-1")["device"]
    assert "device" not in marks(device_id="  ") and "device" not in marks(device_id="x" * 201)


def test_names_are_told_apart_by_the_family_name() -> None:
    def mark(last: str) -> bytes:
        one = lead()
        one.fields["last_name"] = last
        return name_mark(one, dossier(), VAULT.keyed_hash)

    assert mark("Smith") == mark(" SMITH ") != mark("Jones")
    assert mark("…") == b"" and len(mark("Smith")) == 4
