"""The entrance: who must show more than a password, which other house signs people in, and what a key may call how
often.

Made in ``main`` from the settings, so that a setting that cannot be read ends every command with a word. Read by the
console and by every door of the API.
"""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from leadmill.access import Policy, Provider, read_roles
from leadmill.access.service import Elsewhere
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import BadInput, Forbidden
from leadmill.flow.throttle import Throttle
from leadmill.parties import Caller, KeyUses, Role, Throttled
from leadmill.runtime.clock import Clock
from leadmill.runtime.db import Database
from leadmill.runtime.settings import Settings


class Gate:
    """What every door asks of a key that is known: may it call here, and not too often. The last use is noted."""

    def __init__(self, throttle: Throttle, uses: KeyUses, clock: Clock) -> None:
        self._throttle = throttle
        self._uses = uses
        self._clock = clock

    async def admit(self, caller: Caller, scope: str) -> None:
        """Let a caller in. Raises Forbidden ``api.scope.missing``, and Throttled ``api.key.throttled`` with the
        seconds to wait.

        The allowance stands in the store, shared by all processes: a process takes it by the handful and asks about
        once a second for each key, so together they never let more through."""
        self._uses.seen[caller.key_id] = self._clock()
        if not caller.reaches(scope):
            raise Forbidden("api.scope.missing", f"this key does not reach {scope}; ask for one that does")
        if caller.per_minute:
            try:
                await self._throttle.take(caller.key_id, caller.per_minute)
            except Throttled as full:
                says = f"this key may call {caller.per_minute} times a minute"
                raise Throttled("api.key.throttled", says, full.after) from None


class Entrance(Struct, frozen=True):
    """The policy on second factors, the other house that signs people in (None where there is none), the gate for
    keys, and when they were last used."""

    policy: Policy
    elsewhere: Elsewhere | None
    gate: Gate
    uses: KeyUses


def build_entrance(
    settings: Settings, perform: Callable[[HttpAsk], Awaitable[HttpReply]], db: Database, clock: Clock
) -> Entrance:
    """The entrance under these settings. Raises BadInput ``config.setting.malformed``."""
    uses = KeyUses()
    provider = _provider(settings)
    return Entrance(
        policy=Policy(_roles(settings.second_factor)),
        elsewhere=Elsewhere(provider, perform, clock) if provider is not None else None,
        gate=Gate(Throttle(db, clock), uses, clock),
        uses=uses,
    )


def _roles(text: str) -> frozenset[Role]:
    words = [each.strip() for each in text.split(",") if each.strip()]
    if any(word not in Role.__members__.values() for word in words):
        raise BadInput("config.setting.malformed", f"LEADMILL_SECOND_FACTOR: name roles of {', '.join(Role)}")
    return frozenset(Role(word) for word in words)


def _provider(settings: Settings) -> Provider | None:
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id or not settings.oidc_domains.strip() or not settings.oidc_roles.strip():
        says = "LEADMILL_OIDC_ISSUER needs LEADMILL_OIDC_CLIENT_ID, LEADMILL_OIDC_DOMAINS and LEADMILL_OIDC_ROLES"
        raise BadInput("config.setting.malformed", says)
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=settings.oidc_secret,
        label=settings.oidc_label,
        domains=tuple(each.strip().lower() for each in settings.oidc_domains.split(",") if each.strip()),
        claim=settings.oidc_claim,
        roles=read_roles(settings.oidc_roles),
        scopes=settings.oidc_scopes,
    )
