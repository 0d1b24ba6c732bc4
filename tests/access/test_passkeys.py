"""A passkey's statements, each right and each falsified."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from leadmill.access import Party, Passkey
from leadmill.access.passkeys import ask_to_make, ask_to_show, check_shown, credential_of, read_made
from leadmill.core.faults import BadInput
from leadmill.parties import Operator, Role
from tests.access.authenticator import CREDENTIAL, Authenticator

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
PARTY = Party("leads.example", "https://leads.example")
CHALLENGE = b"c" * 32
BLANK = Passkey(
    id="pky_1", operator_id="op_1", credential=b"", public_key=b"", sign_count=0, name="Laptop", created_at=NOW
)
ANA = Operator(id="op_1", email="ana@example.com", name="Ana", role=Role.ANALYST, created_at=NOW)


def made(device: Authenticator) -> Passkey:
    return read_made(PARTY, device.make(CHALLENGE, PARTY.rp_id, PARTY.origin), CHALLENGE, BLANK)


def test_a_device_is_asked_by_name_and_not_twice() -> None:
    asked: dict[str, Any] = msgspec.json.decode(ask_to_make(PARTY, ANA, [made(Authenticator())], CHALLENGE))
    assert asked["rp"]["id"] == "leads.example"
    assert asked["user"]["name"] == "ana@example.com"
    assert len(asked["excludeCredentials"]) == 1
    alone = msgspec.json.decode(ask_to_show(PARTY, [], CHALLENGE, alone=True))
    assert alone["userVerification"] == "required" and not alone.get("allowCredentials")


def test_what_a_device_made_can_be_shown() -> None:
    device = Authenticator()
    passkey = made(device)
    assert passkey.credential == CREDENTIAL and passkey.name == "Laptop"
    body = device.show(CHALLENGE, PARTY.rp_id, PARTY.origin)
    assert credential_of(body) == CREDENTIAL
    assert check_shown(PARTY, body, CHALLENGE, passkey, alone=True) == 1


@pytest.mark.parametrize(
    ("challenge", "rp_id", "origin"),
    [
        (b"d" * 32, "leads.example", "https://leads.example"),
        (CHALLENGE, "evil.example", "https://leads.example"),
        (CHALLENGE, "leads.example", "https://evil.example"),
        (CHALLENGE, "leads.example", "http://leads.example"),
    ],
)
def test_what_was_made_for_somebody_else_is_refused(challenge: bytes, rp_id: str, origin: str) -> None:
    device = Authenticator()
    passkey = made(device)
    with pytest.raises(BadInput, match=r"access\.passkey\.refused"):
        read_made(PARTY, device.make(challenge, rp_id, origin), CHALLENGE, BLANK)
    with pytest.raises(BadInput, match=r"access\.passkey\.refused"):
        check_shown(PARTY, device.show(challenge, rp_id, origin), CHALLENGE, passkey, alone=False)


def test_another_devices_signature_is_refused() -> None:
    passkey = made(Authenticator())
    with pytest.raises(BadInput, match=r"access\.passkey\.refused"):
        check_shown(PARTY, Authenticator().show(CHALLENGE, PARTY.rp_id, PARTY.origin), CHALLENGE, passkey, alone=False)


def test_a_copied_device_is_noticed_by_its_count() -> None:
    device = Authenticator()
    passkey = msgspec.structs.replace(made(device), sign_count=5)
    with pytest.raises(BadInput, match=r"access\.passkey\.refused"):
        check_shown(PARTY, device.show(CHALLENGE, PARTY.rp_id, PARTY.origin), CHALLENGE, passkey, alone=False)


def test_alone_only_an_unlocked_passkey_counts() -> None:
    device = Authenticator()
    passkey = made(device)
    device.verified = False
    body = device.show(CHALLENGE, PARTY.rp_id, PARTY.origin)
    assert check_shown(PARTY, body, CHALLENGE, passkey, alone=False) == 1
    with pytest.raises(BadInput, match=r"access\.passkey\.refused"):
        check_shown(PARTY, device.show(CHALLENGE, PARTY.rp_id, PARTY.origin), CHALLENGE, passkey, alone=True)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"id": "a", "response": 1}', b'{"id": "\\u0000"}'])
def test_noise_is_refused(body: bytes) -> None:
    passkey = made(Authenticator())
    for act in (
        lambda: check_shown(PARTY, body, CHALLENGE, passkey, alone=False),
        lambda: read_made(PARTY, body, CHALLENGE, BLANK),
    ):
        with pytest.raises(BadInput, match=r"access\.passkey\.refused"):
            act()
