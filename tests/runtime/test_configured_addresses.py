"""No address that somebody may configure leads inside: every setting that carries one, every way to spell a place."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from leadmill.core.conversation import HttpAsk
from leadmill.core.faults import BadInput, Permanent
from leadmill.flow.configure import read_text
from leadmill.runtime.addresses import Reach, read_networks, refusal
from leadmill.runtime.http import Http
from leadmill.runtime.settings import Settings
from tests.docs.pages import blocks

CARRIERS = {
    ("buyer", "delivery.url"),
    ("buyer", "delivery.test_url"),
    ("buyer", "optouts.url"),
    ("order", "ping.url"),
    ("provider", "url"),
    ("source", "response_url"),
}
"""Where a declaration may name an address that Leadmill calls, beside what a page of the visitor's browser goes to."""

INSIDE = (
    "http://169.254.169.254/latest/meta-data",
    "http://[fd00:ec2::254]/",
    "http://127.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://10.0.0.5/",
    "http://192.168.1.1/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://0.0.0.0/",
    "http://inside.example/",
    "http://both.example/",
    "https://rebinding.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "http://user:password@127.0.0.1/",
)
NAMES = {
    "inside.example": [["10.1.2.3"]],
    "both.example": [["93.184.216.34", "127.0.0.1"]],
    "rebinding.example": [["10.1.2.3"], ["93.184.216.34"]],
    "localhost": [["127.0.0.1"]],
}


class Connected(Exception):
    """Something was about to be connected to."""


async def lookup(host: str, port: int, family: int) -> Sequence[tuple[int, str, int]]:
    """Answers as a hostile name server would; spelled numbers as the system resolves them."""
    spelled = {"2130706433": [["127.0.0.1"]], "0x7f.1": [["127.0.0.1"]], "0177.0.0.1": [["127.0.0.1"]]}
    answers = {**NAMES, **spelled}.get(host)
    if answers is None:
        raise Connected(host)
    return [(2 if "." in one else 10, one, port) for one in answers[0]]


@pytest.mark.parametrize("url", INSIDE)
async def test_no_configured_address_leads_inside(url: str) -> None:
    """Deliveries, pings, notices, providers, webhooks and sign-in all go out by this one client."""
    async with Http(Reach(), {}, lambda: datetime(2026, 3, 4, tzinfo=UTC), lookup=lookup) as http:
        for method in ("GET", "POST"):
            with pytest.raises(Permanent) as fault:
                await http.perform(HttpAsk(method, url))
            assert fault.value.code in ("http.address.refused", "http.address.malformed")


def _places(raw: Any, path: str = "") -> Iterator[str]:
    for key, value in raw.items() if isinstance(raw, dict) else ():
        here = f"{path}.{key}".lstrip(".")
        if isinstance(value, str) and ("://" in value or key.endswith("url")):
            yield here
        yield from _places(value, here)


def test_every_setting_that_carries_an_address_is_known_here() -> None:
    """A new one fails here, so that somebody asks by which client it goes out."""
    found = {
        (table.kind, place)
        for block in blocks("toml", "business")
        for table in read_text(block.text.encode(), block.name)
        for place in _places(table.raw)
    }
    assert found - {("form", "redirect_url")} <= CARRIERS, sorted(found - CARRIERS)
    named = {name for name in Settings.__struct_fields__ if name.endswith(("url", "issuer"))}
    assert named == {"public_url", "database_url", "oidc_issuer"}  # the last is asked, by this client


def test_a_private_network_may_be_allowed_by_name_and_opens_no_other() -> None:
    reach = Reach(networks=read_networks("10.1.0.0/16, fd12::/16"))
    told = {
        text: refusal(read_networks(text)[0].network_address, reach) is None
        for text in ("10.1.2.3/32", "10.2.0.1/32", "fd12::1/128", "fd13::1/128", "127.0.0.1/32", "169.254.169.254/32")
    }
    assert [text for text, allowed in told.items() if allowed] == ["10.1.2.3/32", "fd12::1/128"]
    with pytest.raises(BadInput, match=r"config\.setting\.malformed"):
        read_networks("10.1.2.3/8")
