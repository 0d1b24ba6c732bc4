"""The verbs of overlap: compare people with the buyers' lists, and keep the lists.

``Lists`` is made in ``main``: its ``hear`` is wired to the runner, the rest is called by the API and the command line.
A buyer's key is named in the configuration and stands in the environment; it is read here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from leadmill.core.faults import BadInput, Permanent
from leadmill.overlap.model import KINDS, Kind, KnownAsk, KnownTo
from leadmill.overlap.rules import digest_of, read_hashes
from leadmill.overlap.store import add_marks, clear_list, find_marks, remove_marks
from leadmill.parties import Buyer, KnownPeople
from leadmill.runtime.db import Tx

MOST = 10_000
"""The most hashes that one call may bring."""

Change = Literal["add", "remove", "replace"]
"""What a call does with a list: put hashes on it, take them off, or begin it anew with them."""


class Lists:
    """The buyers' lists. ``keyed_hash`` is the vault's, ``environ`` where the buyers' keys stand."""

    def __init__(self, keyed_hash: Callable[[str, str], bytes], environ: Mapping[str, str]) -> None:
        self._hash = keyed_hash
        self._environ = environ

    async def hear(self, tx: Tx, asks: Sequence[KnownAsk]) -> Callable[[KnownAsk], KnownTo]:
        """The listener for :class:`KnownAsk`: one query for all asks. Raises Permanent ``overlap.key.missing`` where a
        buyer's key is not in the environment: better no sale than a person sold to whoever has them."""
        marks = {ask: self._marks(ask) for ask in asks}
        wanted = {mark for each in marks.values() for mark, _, _ in each}
        there = await find_marks(tx, sorted(wanted)) if wanted else set()

        def answer(ask: KnownAsk) -> KnownTo:
            found: dict[str, tuple[Kind, ...]] = {}
            for mark, buyer, kind in marks[ask]:
                if mark in there:
                    found[buyer] = (*found.get(buyer, ()), kind)
            return KnownTo(found)

        return answer

    async def change(
        self, tx: Tx, buyer: Buyer, kind: Kind, hashes: Sequence[str], change: Change, at: datetime
    ) -> int:
        """Change a buyer's list of phones or addresses; how many entries were added or removed.

        Raises BadInput ``overlap.list.undeclared`` where the buyer's configuration has no ``known`` table,
        ``overlap.list.too_many`` for more than 10,000 hashes, and ``overlap.hashes.malformed``.
        """
        spec = buyer.known
        if spec is None:
            raise BadInput("overlap.list.undeclared", "no list is agreed on: the operator adds [buyer.known] first")
        if len(hashes) > MOST:
            raise BadInput("overlap.list.too_many", f"send at most {MOST:,} hashes a call")
        marks = [self._mark(buyer.id, kind, digest) for digest in read_hashes(spec, hashes)]
        if change == "remove":
            return await remove_marks(tx, marks)
        if change == "replace":
            await clear_list(tx, buyer.id, kind)
        return await add_marks(tx, buyer.id, kind, marks, at)

    def hashed(self, buyer: Buyer, kind: Kind, value: str) -> str:
        """A phone number (E.164) or an address as the buyer hashes it, hexadecimal. Raises BadInput
        ``overlap.list.undeclared`` and Permanent ``overlap.key.missing``."""
        if buyer.known is None:
            raise BadInput("overlap.list.undeclared", "no list is agreed on: the operator adds [buyer.known] first")
        return digest_of(buyer.known, self._key(buyer.id, buyer.known), kind, value).hex()

    def _marks(self, ask: KnownAsk) -> list[tuple[bytes, str, Kind]]:
        values: dict[Kind, str | None] = {"phone": ask.phone, "email": ask.email}
        return [
            (self._mark(buyer, kind, digest_of(spec, self._key(buyer, spec), kind, value)), buyer, kind)
            for buyer, spec in ask.lists.items()
            for kind in KINDS
            if (value := values[kind])
        ]

    def _mark(self, buyer_id: str, kind: Kind, digest: bytes) -> bytes:
        return self._hash("known-person", f"{buyer_id} {kind} {digest.hex()}")

    def _key(self, buyer_id: str, spec: KnownPeople) -> bytes:
        if spec.profile != "hmac-sha256":
            return b""
        key = self._environ.get(spec.key_env)
        if not key:
            raise Permanent("overlap.key.missing", f"the environment has no {spec.key_env}, the key of {buyer_id}")
        return key.encode()
