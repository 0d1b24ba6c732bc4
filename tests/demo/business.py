"""The demo business as Leadmill reads it, for the tests beside it."""

import hashlib
from functools import cache
from typing import Any

from leadmill.capture import Vertical, read_verticals
from leadmill.flow.configure import read_text
from leadmill.flow.planning import Plan, plan
from leadmill.parties import Buyer, Source
from leadmill.runtime.packs import load_packs
from leadmill_demo import environment, render


def keyed_hash(purpose: str, text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16, key=purpose.encode()).digest()


@cache
def verticals() -> dict[str, Vertical]:
    return dict(read_verticals(load_packs()))


@cache
def planned(port: int = 8081) -> Plan:
    return plan(read_text(render(port).encode(), "business.toml"), {}, verticals(), keyed_hash, environment())


def of_kind(kind: str) -> dict[str, Any]:
    return {ident: party for (of, ident), party in planned().parties.items() if of == kind}


def buyers() -> dict[str, Buyer]:
    return of_kind("buyer")


def sources() -> dict[str, Source]:
    return of_kind("source")
