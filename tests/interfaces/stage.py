"""A whole house on a fresh database, a business applied, people who may sign in: what these tests stand on."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadmill.billing import open_account
from leadmill.flow.configure import apply_files
from leadmill.interfaces.house import House
from leadmill.interfaces.server import application
from leadmill.main import open_house
from leadmill.parties import Role
from leadmill.parties.service import add_operator, issue_key
from leadmill.runtime.clock import Clock
from leadmill.runtime.settings import Settings
from tests.interfaces.client import Client
from tests.once import read_once

read_once()

BUSINESS = Path(__file__).with_name("business.toml")
PASSWORD = "a long walk to the mill"
PEOPLE = {
    Role.ADMIN: ("mara@example.com", "Mara Lindqvist"),
    Role.OPERATOR: ("omar@example.com", "Omar Haddad"),
    Role.COMPLIANCE: ("cora@example.com", "Cora Blum"),
    Role.ANALYST: ("anil@example.com", "Anil Mehta"),
}
SOURCE_KEY = "acme-key-0123456789abcdef"
BUYER_KEY = "helio-key-0123456789abcdef"

MORNING = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
"""When the stage is dressed; each test begins an hour later. A working day on both coasts: what hangs on the hour, the
weekday or the end of a month must not hang on when the tests are run."""

CONSENT = {
    "text": "I agree that Helio Solar LLC, SunCo Inc and Brightside Home Loans may call, text and e-mail me, also with"
    " automated technology, at the number I gave. Agreeing is no condition of buying anything.",
    "sellers": ["Helio Solar LLC", "SunCo Inc", "Brightside Home Loans"],
    "box_default": "unchecked",
}


class Stage:
    """The house, its application, and keys to it."""

    def __init__(self, house: House, app: Any, operator_key: str, analyst_key: str) -> None:
        self.house = house
        self.app = app
        self.operator_key = operator_key
        self.analyst_key = analyst_key

    def client(self) -> Client:
        return Client(self.app)

    async def signed_in(self, role: Role) -> Client:
        """A browser in which somebody of this role is signed in."""
        client = self.client()
        await client.get("/sign-in")
        reply = await client.post(
            "/sign-in", {"_csrf": client.cookies["leadmill_before"], "email": PEOPLE[role][0], "password": PASSWORD}
        )
        assert reply.status == 303, reply.text[:500]
        return client

    async def send(self, body: dict[str, Any], key: str = SOURCE_KEY) -> dict[str, Any]:
        """A lead through the API."""
        reply = await self.client().post_json("/v1/leads", body, authorization=f"Bearer {key}")
        assert reply.status == 201, reply.text
        found: dict[str, Any] = reply.json
        return found


def solar(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A good solar lead; ``number`` makes it another person."""
    return {
        "vertical": "solar",
        "fields": {
            "first_name": "Ana",
            "last_name": "Ruiz",
            "email": f"ana.ruiz{number or ''}@gmail.com",
            "phone": f"415-{601 + number // 100:03d}-{2300 + number % 100:04d}",
            "zip": "94110",
            "state": "CA",
            "monthly_bill": 240,
            "homeowner": True,
            **fields,
        },
        "consent": CONSENT,
        "context": {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0", "landing_page": "https://example.com/solar"},
    }


async def dress(house: House, files: list[Path]) -> tuple[str, str]:
    """Apply the business, add the people, and make keys for an operator and an analyst program."""
    await apply_files(
        house.db,
        files,
        author="test",
        now=house.clock(),
        mint=house.mint,
        keyed_hash=house.vault.keyed_hash,
        environ={},
        verticals=house.book.walk().rules.verticals,
        dialects=house.book.walk().rules.dialects,
        on_buyer=open_account,
    )
    keys = []
    async with house.db.begin() as tx:
        for role, (email, name) in PEOPLE.items():
            await add_operator(tx, house.mint, email=email, name=name, role=role, password=PASSWORD, now=house.clock())
        for role in (Role.OPERATOR, Role.ANALYST):
            key, _ = await issue_key(
                tx,
                house.vault.keyed_hash,
                house.mint,
                secrets.token_bytes,
                kind="operator",
                owner=f"{role.value}-program",
                role=role,
                now=house.clock(),
            )
            keys.append(key)
    await house.book.refresh(house.db)
    return keys[0], keys[1]


async def dressed(url: str, home: Path) -> tuple[str, str]:
    """Dress an empty database; the keys of the operator's and the analyst's program."""
    async with _opened(url, home, MORNING) as house:
        return await dress(house, [BUSINESS])


@asynccontextmanager
async def stage_on(url: str, home: Path, keys: tuple[str, str]) -> AsyncIterator[Stage]:
    """The stage on a dressed database; closed at the end."""
    async with _opened(url, home, MORNING + timedelta(hours=1), migrate=_nothing_to_do) as house:
        yield Stage(house, application(house), *keys)
        await house.mill.close()


@asynccontextmanager
async def _opened(url: str, home: Path, start: datetime, **parts: Any) -> AsyncIterator[House]:
    settings = Settings(home=home, database_url=url, connections=6, mx_lookups=False)
    with pytest.MonkeyPatch.context() as patched:
        for name, part in {"system_clock": running_from(start), **parts}.items():
            patched.setattr(f"leadmill.main.{name}", part)
        async with open_house(settings) as house:
            yield house


async def _nothing_to_do(_: str) -> None:
    """The tables are those of the dressed house, which were brought up to date when it was opened."""


def running_from(start: datetime) -> Clock:
    """A clock that shows ``start`` now and goes on as clocks do."""
    begun = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - begun)
