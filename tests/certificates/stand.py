"""The vendors' stand-ins on a free port, and the tables that declare them. Their keys are secrets that every house of
the tests has."""

from collections.abc import AsyncIterator
from datetime import datetime
from random import Random
from typing import Any

import pytest
from aiohttp import web

from leadmill.certificates import AsProviders
from leadmill.enrich import Installed
from leadmill.runtime.plugins import find_plugins
from leadmill_demo.providers import Manners, Paid
from leadmill_demo.vendors import VENDORS, Vendors, issue_certificate, issue_token
from tests.conftest import FixedClock
from tests.journeys.house import ENVIRON

KEYS = {
    "DEMO_VENDOR_TRUSTEDFORM": ENVIRON["BUYER_TOKEN"],
    "DEMO_VENDOR_JORNAYA_ACCOUNT": ENVIRON["HELIO_MATCH"],
    "DEMO_VENDOR_JORNAYA_AUDIT": ENVIRON["BUYER_TOKEN"],
}


INSTALLED = {
    plugin.name: Installed(AsProviders(plugin.provider), frozenset(plugin.card()["fields"]))
    for plugin in find_plugins(("leadmill.certificates",)).found
}


class Stand:
    """The stand-ins, each honest and at once until told otherwise; ``clock`` is the test's."""

    def __init__(self, clock: FixedClock) -> None:
        self.url = ""
        self.vendors = Vendors(Random(1), KEYS, lambda: clock().timestamp())
        self.vendors.asked = {name: Paid(name, Manners(name, {}, 100), Random(1)) for name in VENDORS}
        self._rng = Random(7)

    def __getitem__(self, name: str) -> Paid:
        return self.vendors.asked[name]

    def certificate(self, email: str, phone: str, at: datetime) -> str:
        """A TrustedForm certificate of somebody who typed this."""
        return issue_certificate(email, phone, at.timestamp(), self._rng)

    def token(self, email: str, phone: str, at: datetime) -> str:
        """A LeadiD token of somebody who typed this."""
        return issue_token(email, phone, at.timestamp(), self._rng)

    def declared(self, name: str, **more: Any) -> dict[str, Any]:
        """A ``[[provider]]`` table."""
        options: dict[str, Any] = {"url": f"{self.url}/vendors/{name}"}
        if name == "trustedform":
            options["key"] = {"env": "BUYER_TOKEN"}
        else:
            options |= {"account": {"env": "HELIO_MATCH"}, "audit": {"env": "BUYER_TOKEN"}}
        return {"id": name, "plugin": name, "price": "0.08", "timeout_ms": 10_000, "options": options, **more}


@pytest.fixture
async def stand(clock: FixedClock) -> AsyncIterator[Stand]:
    """The stand-ins, on a free port."""
    made = Stand(clock)
    app = web.Application()
    made.vendors.route(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()
