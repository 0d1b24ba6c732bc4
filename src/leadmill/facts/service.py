"""Looking up what a lead's own words cannot say: whether its mail domain takes mail, and where its IP address is.

Wired by ``main`` to the runner's ask :class:`LookUp`. It never raises and never waits longer than the machinery's
budget; what could not be found out is unknown.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from leadmill.facts.model import LookedUp, LookUp, MailSeen
from leadmill.facts.rules.network import plain_address, read_records
from leadmill.runtime.clock import Clock
from leadmill.runtime.dns import Dns, MailHosts
from leadmill.runtime.ipfiles import IpFiles

_NOTHING = LookedUp()


def look_ups(dns: Dns | None, files: IpFiles, clock: Clock) -> Callable[[LookUp], Awaitable[LookedUp]]:
    """The caller for look-ups. ``dns`` is None where mail domains are not to be asked about."""

    async def call(ask: LookUp) -> LookedUp:
        ip = read_records(files.look_up(plain_address(ask.ip))) if ask.ip and files else None
        mail = None
        if ask.domain and dns is not None:
            mail = _seen(dns.remembered(ask.domain) or await dns.mail_hosts(ask.domain), clock)
        return LookedUp(mail, ip) if mail is not None or ip is not None else _NOTHING

    return call


def _seen(hosts: MailHosts, clock: Clock) -> MailSeen:
    if hosts.takes is None:
        return MailSeen(None, hosts.why)
    now = clock().replace(microsecond=0)
    return MailSeen(
        hosts.takes, hosts.why, now - timedelta(seconds=int(hosts.age)), now + timedelta(seconds=int(hosts.seconds))
    )
