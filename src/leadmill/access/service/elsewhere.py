"""Sign-in by another house: the errand of a browser, and whom the house's word lets in."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
from joserfc.jwk import KeySet

from leadmill.access import store
from leadmill.access.model import Act, Claims, Errand, Metadata, Provider
from leadmill.access.outside import (
    asks_for_tokens,
    read_id_token,
    read_keys,
    read_metadata,
    read_tokens,
    sends_to,
    where_keys_are,
    where_metadata_is,
)
from leadmill.access.rules import role_of
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Forbidden, Unauthenticated
from leadmill.core.ids import Mint
from leadmill.parties import (
    KeyedHash,
    Operator,
    Random,
    Role,
    add_outside_operator,
    change_operator,
    find_operator,
    find_sign_in,
)
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database, Tx

PATIENCE = timedelta(minutes=10)
"""How long somebody may take at the other house."""
_REMEMBERED = timedelta(hours=1)
"""For how long what the provider says of itself, and its keys, are believed."""
_PURPOSE = "ceremony elsewhere"


class Elsewhere:
    """One provider, with what it said of itself kept for an hour. ``perform`` asks the world through the guarded
    client."""

    def __init__(self, provider: Provider, perform: Callable[[HttpAsk], Awaitable[HttpReply]], clock: Clock) -> None:
        self.provider = provider
        self._perform = perform
        self._clock = clock
        self._metadata: tuple[datetime, Metadata] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    async def send(
        self, db: Database, digest: KeyedHash, random: Random, browser: str, redirect: str, goes_on: str
    ) -> str:
        """Where a browser is sent; what it has to bring back is kept for it. ``browser`` is the cookie it is known
        by, ``redirect`` the address it comes back to."""
        metadata = await self._known()
        state, nonce, verifier = (urlsafe_b64encode(random(33)).decode() for _ in range(3))
        errand = Errand(state, nonce, verifier, goes_on)
        async with db.begin() as tx:
            until = self._clock() + PATIENCE
            await store.put_ceremony(tx, digest(_PURPOSE, browser), msgspec.json.encode(errand), until)
        return sends_to(metadata, self.provider, errand, redirect)

    async def take(
        self, db: Database, digest: KeyedHash, browser: str, state: str, code: str, redirect: str
    ) -> tuple[Claims, str]:
        """Who comes back, and where they were going. What was kept is used up, whatever comes of it. Raises
        :class:`Unauthenticated` ``access.outside.failed`` for a browser that was never sent, was sent too long ago,
        or brings back something else."""
        now = self._clock()
        async with db.begin() as tx:
            kept = await store.take_ceremony(tx, digest(_PURPOSE, browser), now)
        errand = msgspec.json.decode(kept, type=Errand) if kept is not None else None
        if errand is None or not code or not hmac.compare_digest(errand.state.encode(), state.encode()):
            raise Unauthenticated("access.outside.failed", "the sign-in elsewhere did not hold; try once more")
        metadata = await self._known()
        reply = await self._perform(asks_for_tokens(metadata, self.provider, errand, code, redirect))
        token, access_token = read_tokens(reply)
        keys, fresh = await self._signers(metadata)
        try:
            claims = read_id_token(token, keys, self.provider, errand.nonce, now.timestamp(), access_token)
        except Unauthenticated:
            if fresh:
                raise
            self._keys = None  # it may have changed its keys
            keys, _ = await self._signers(metadata)
            claims = read_id_token(token, keys, self.provider, errand.nonce, now.timestamp(), access_token)
        return claims, errand.goes_on

    async def _known(self) -> Metadata:
        now = self._clock()
        if self._metadata is None or now - self._metadata[0] >= _REMEMBERED:
            self._metadata = now, read_metadata(await self._perform(where_metadata_is(self.provider)), self.provider)
        return self._metadata[1]

    async def _signers(self, metadata: Metadata) -> tuple[KeySet, bool]:
        """The provider's keys, and whether they were asked for just now."""
        now = self._clock()
        if self._keys is not None and now - self._keys[0] < _REMEMBERED:
            return self._keys[1], False
        self._keys = now, read_keys(await self._perform(where_keys_are(metadata)))
        return self._keys[1], True


async def find_outsider(tx: Tx, mint: Mint, claims: Claims, provider: Provider, now: datetime) -> Operator:
    """The operator whom a provider's word lets in, made at the first time; the groups of today decide the role.

    An administrator stays one, and is never made or taken over by another house's word. Raises :class:`Forbidden`
    ``access.outside.refused``."""
    role = role_of(claims, provider)
    tied = await store.operator_tied(tx, claims.issuer, claims.subject)
    if tied is None:
        known = await find_sign_in(tx, claims.email)
        if known is None:
            operator = await add_outside_operator(
                tx, mint, email=claims.email, name=claims.name or claims.email, role=role, now=now
            )
        else:
            operator = known[0]
            if operator.role is Role.ADMIN:
                raise Forbidden("access.outside.refused", "administrators sign in here, with their password or passkey")
        await store.tie_operator(tx, claims.issuer, claims.subject, operator.id, now)
        store.note_act(tx, Act(now, operator.id, "outside_tied", operator.id))
    else:
        found = await find_operator(tx, tied)
        if found is None:
            raise Forbidden("access.outside.refused", "you may not come in here; ask an administrator")
        operator = found
    if operator.disabled:
        raise Forbidden("access.outside.refused", "you may not come in here; ask an administrator")
    if operator.role is not role and operator.role is not Role.ADMIN:
        operator = await change_operator(tx, operator.id, role=role)
    return operator
