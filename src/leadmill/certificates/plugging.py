"""Vendors of certificates as providers: so they are asked in chains, within limits, at a price, like any other.

Called by ``main`` for each installed plug-in of ``leadmill.certificates``; a vendor itself never sees a fact.
"""

from collections.abc import Mapping, Sequence

from leadmill.certificates.model import CERTIFICATE, RETAIN, CertificateRead, Topic, Vendor, VendorMaker
from leadmill.certificates.rules import facts_of
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.reading import Table
from leadmill.enrich import plain
from leadmill.facts import Fact

_NEEDS = {"email": "email", "phone": "phone", "lead": "lead.id", "source": "lead.source"}
"""What a vendor is told, by its names; behind them the names of a provider's needs."""


class VendorProvider:
    """A vendor as a provider of facts: its ``topics`` are ``certificate`` and, where it keeps certificates,
    ``retain``."""

    def __init__(self, name: str, vendor: Vendor) -> None:
        self.name = name
        self.vendor = vendor
        self._token = f"consent.{vendor.issuer}"
        matched = vendor.topics.get("match", ())
        needs = {CERTIFICATE: (self._token, *(f"{_NEEDS[plain(name)]}?" for name in matched))}
        if "retain" in vendor.topics:
            needs[RETAIN] = (self._token, *(_need(name) for name in vendor.topics["retain"]))
        self.topics: Mapping[str, Sequence[str]] = needs

    def ask(self, topic: str, params: Mapping[str, str]) -> HttpAsk | Sequence[Fact] | None:
        """The vendor's request; the facts at once where it knows without one."""
        asked = self.vendor.ask(_topic(topic, params), self._told(params))
        return facts_of(self.vendor.issuer, asked) if isinstance(asked, CertificateRead) else asked

    def read(self, topic: str, reply: HttpReply, params: Mapping[str, str]) -> Sequence[Fact]:
        """What the vendor reads in the reply, as facts."""
        return facts_of(self.vendor.issuer, self.vendor.read(_topic(topic, params), reply, self._told(params)))

    def _told(self, params: Mapping[str, str]) -> dict[str, str]:
        told = {"token": params[self._token]}
        return told | {theirs: params[ours] for theirs, ours in _NEEDS.items() if ours in params}


def _need(name: str) -> str:
    """A vendor's need as a provider's: ``lead.id`` for ``lead``, ``email?`` for ``email?``."""
    return f"{_NEEDS[plain(name)]}{name[len(plain(name)) :]}"


def _topic(topic: str, params: Mapping[str, str]) -> Topic:
    if topic == RETAIN:
        return "retain"
    # Where a vertical keeps phone and e-mail to itself, a vendor is still asked whether it knows the token.
    return "match" if "email" in params or "phone" in params else "claim"


class AsProviders:
    """A plug-in of ``leadmill.certificates`` as a maker of providers."""

    def __init__(self, plugin: Vendor | VendorMaker) -> None:
        self.plugin = plugin

    def make(self, name: str, options: Mapping[str, object]) -> VendorProvider:
        """Raises BadInput ``config.provider.malformed`` as the plug-in does."""
        if isinstance(self.plugin, VendorMaker):
            return VendorProvider(name, self.plugin.make(name, options))
        Table(options, f"provider {name}, options", "config.provider.malformed").close()  # it takes none
        return VendorProvider(name, self.plugin)
