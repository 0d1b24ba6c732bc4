"""A paid provider's stand-in on a free port, and whoever asks it."""

from collections.abc import AsyncIterator, Mapping
from random import Random
from typing import Any

import pytest
from aiohttp import web

from leadmill.core.ids import Mint
from leadmill.enrich import Asker, Authority, Enrichment, Installed, assemble, read_chain, read_provider
from leadmill.runtime.addresses import Reach
from leadmill.runtime.db import Database
from leadmill.runtime.http import Http, HttpLimits
from leadmill.runtime.plugins import find_plugins
from leadmill.runtime.vault import Vault
from leadmill_demo.providers import Manners, Paid, Providers
from tests.conftest import FixedClock

ENVIRON = {"LINECHECK_KEY": "key-of-linecheck"}
INSTALLED = {
    plugin.name: Installed(plugin.provider, frozenset(plugin.card()["fields"]))
    for plugin in find_plugins(("leadmill.facts",)).found
}
FACTS: list[dict[str, Any]] = [
    {"key": "phone.reachable", "path": "line.active", "pass": [True], "fail": [False], "confidence": 95},
    {"key": "phone.type", "path": "line.type", "values": {"wireless": "mobile", "landline": "fixed"}},
    {"key": "phone.carrier", "path": "line.carrier"},
]


class Market:
    """The stand-ins, each of which answers honestly and at once until told otherwise."""

    def __init__(self) -> None:
        self.url = ""
        self.providers = Providers(Random(1), {"linecheck": ENVIRON["LINECHECK_KEY"]}, lambda: 0.0)
        for name, paid in self.providers.paid.items():
            self.providers.paid[name] = Paid(name, Manners(name, {}, 100), Random(1), paid.key)

    def __getitem__(self, name: str) -> Paid:
        return self.providers.paid[name]

    def declared(self, name: str = "linecheck", **more: Any) -> dict[str, Any]:
        """A ``[[provider]]`` table of a phone look-up."""
        options = {
            "url": f"{self.url}/providers/{name}/phone",
            "method": "GET",
            "topics": {"phone": ["phone"]},
            "tells": {"number": "phone"},
            "answer": {"path": "status", "known": ["ok"], "unknown": ["no_data"]},
            "facts": FACTS,
        }
        if name == "linecheck":
            options["auth"] = {"kind": "header", "name": "X-Api-Key", "value": {"env": "LINECHECK_KEY"}}
        return {"id": name, "plugin": "http", "price": "0.05", "options": options, **more}


@pytest.fixture
async def market() -> AsyncIterator[Market]:
    """The stand-ins, on a free port."""
    made = Market()
    app = web.Application()
    made.providers.route(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def enrichment(
    providers: list[dict[str, Any]], *chains: dict[str, Any], authority: Mapping[str, tuple[str, ...]] | None = None
) -> Enrichment:
    """What these tables declare."""
    return assemble(
        [read_provider(raw, INSTALLED) for raw in providers],
        [read_chain({"topic": "phone", **raw}) for raw in chains],
        [Authority(name, sources) for name, sources in (authority or {}).items()],
    )


class Office:
    """Makes askers over one store: each is what one process has."""

    def __init__(self, db: Database, http: Http, vault: Vault, clock: FixedClock) -> None:
        self._db, self._http, self._vault, self._clock = db, http, vault, clock

    def asker(self, declared: Enrichment) -> Asker:
        """A process's asker."""
        return Asker(lambda: declared, self._http.perform, self._db, self._vault, self._clock)


@pytest.fixture
async def office(db: Database, clock: FixedClock, mint: Mint) -> AsyncIterator[Office]:
    """The store, the client and the vault that askers share."""
    limits = HttpLimits(failures=50)
    async with Http(Reach(True, False, False), ENVIRON, clock, limits=limits) as http:
        yield Office(db, http, Vault(bytes(32)), clock)
