"""How a person is hashed for a buyer's list, and which buyers a publisher has excluded. Pure.

Called by the step and the listener. The keyed profile is HMAC-SHA-256 (RFC 2104) under a key that only this buyer and
we have: without it nobody can try out phone numbers. The others are what the trade's older systems send; an unkeyed
hash of a ten-digit number is found by trying them all, so such a list is called weak wherever it is shown.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from leadmill.core.faults import BadInput, FieldFault
from leadmill.overlap.model import Kind
from leadmill.parties import KnownPeople, Roster

_WIDTH = {"hmac-sha256": 32, "sha256": 32, "sha1": 20, "md5": 16}
"""Bytes of a hash, by profile."""


def plain_form(spec: KnownPeople, kind: Kind, value: str) -> str:
    """What is hashed: the address in lower case, or the number as the list writes it: ``e164`` (+14155550123),
    ``digits`` (14155550123) or ``national`` (4155550123, North American numbers without their 1)."""
    if kind == "email":
        return value.strip().lower()
    digits = value.removeprefix("+")
    if spec.phone_form == "national":
        return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits
    return digits if spec.phone_form == "digits" else f"+{digits}"


def digest_of(spec: KnownPeople, key: bytes, kind: Kind, value: str) -> bytes:
    """The hash that the buyer's list would hold of this value. ``key`` matters to the keyed profile alone."""
    plain = plain_form(spec, kind, value).encode()
    if spec.profile == "hmac-sha256":
        return hmac.digest(key, plain, "sha256")
    return hashlib.new(spec.profile, plain, usedforsecurity=False).digest()


def read_hashes(spec: KnownPeople, given: Iterable[str]) -> list[bytes]:
    """The hashes of an upload, hexadecimal as they come. Raises BadInput ``overlap.hashes.malformed`` with one entry
    for each of the first ten that are none of the list's profile."""
    width = _WIDTH[spec.profile]
    found: list[bytes] = []
    faults: list[FieldFault] = []
    for number, text in enumerate(given):
        try:
            digest = bytes.fromhex(text.strip())
        except ValueError:
            digest = b""
        if len(digest) == width:
            found.append(digest)
        else:
            says = f"write {2 * width} hexadecimal digits, the list is {spec.profile}"
            faults.append(FieldFault(f"/hashes/{number}", "overlap.hash.malformed", says))
    if faults:
        raise BadInput("overlap.hashes.malformed", f"{len(faults)} hashes are malformed; see errors", faults[:10])
    return found


class Exclusions:
    """Finds the buyers that a publisher names, by id, by name or by a hash of one of its names: the SHA-256 of the name
    in lower case, or, as older systems send it, the MD5 of the name in lower case, in capitals or as it is written. An
    MD5 excludes like any other word, and is called weak."""

    __slots__ = ("_named", "_weak")

    def __init__(self, roster: Roster) -> None:
        self._named: dict[str, str] = {}
        self._weak: dict[str, str] = {}
        for buyer in roster.buyers.values():
            for name in (buyer.id, buyer.name, *buyer.brands):
                plain = _plain(name)
                self._named.setdefault(plain, buyer.id)
                self._named.setdefault(hashlib.sha256(plain.encode()).hexdigest(), buyer.id)
                for written in (plain, plain.upper(), " ".join(name.split())):
                    weak = hashlib.md5(written.encode(), usedforsecurity=False).hexdigest()
                    self._weak.setdefault(weak, buyer.id)

    def find(self, wanted: Iterable[str]) -> dict[str, str]:
        """The excluded buyers, each with the words it was named by. Names of nobody on the roster exclude nobody."""
        found: dict[str, str] = {}
        for text in wanted:
            plain = _plain(text)
            buyer = self._named.get(plain)
            if buyer is not None:
                found[buyer] = "by hash" if len(text) == 64 and " " not in text else "by name"
            elif (buyer := self._weak.get(plain)) is not None:
                found.setdefault(buyer, "by an MD5 of its name, which is weak")
        return found


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def names_in(context: Mapping[str, Any]) -> list[str]:
    """The buyers that a lead's context excludes: a list, or one text with commas or semicolons between."""
    given = context.get("exclude_buyers")
    if isinstance(given, str):
        return [part.strip() for part in given.replace(";", ",").split(",") if part.strip()]
    return [str(part) for part in given] if isinstance(given, list) else []
