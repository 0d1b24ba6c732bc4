"""A passkey of our own making: what a device does, in a few lines, so that each of its statements can be falsified."""

import hashlib
import json
import struct
from base64 import urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

CREDENTIAL = b"a credential of the tests"


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """One key pair. ``count`` is how often it says it was used, ``verified`` whether its holder unlocked it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.count = 0
        self.verified = True

    def make(self, challenge: bytes, rp_id: str, origin: str) -> bytes:
        """The answer to being asked for a new passkey."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        data = self._data(rp_id, 0x40) + bytes(16) + struct.pack(">H", len(CREDENTIAL)) + CREDENTIAL + cbor2.dumps(cose)
        said = self._client("webauthn.create", challenge, origin)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._body({"clientDataJSON": text(said), "attestationObject": text(attestation)})

    def show(self, challenge: bytes, rp_id: str, origin: str) -> bytes:
        """The answer to being asked to show the passkey."""
        self.count += 1
        data, said = self._data(rp_id), self._client("webauthn.get", challenge, origin)
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._body({"clientDataJSON": text(said), "authenticatorData": text(data), "signature": text(signature)})

    def _data(self, rp_id: str, more: int = 0) -> bytes:
        flags = 0x01 | (0x04 if self.verified else 0) | more
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _client(self, kind: str, challenge: bytes, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": text(challenge), "origin": origin}).encode()

    def _body(self, response: dict[str, Any]) -> bytes:
        ident = text(CREDENTIAL)
        return json.dumps({"id": ident, "rawId": ident, "type": "public-key", "response": response}).encode()
