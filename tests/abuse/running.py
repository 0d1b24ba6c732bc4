"""The real program under attack: ``leadmill serve`` as a process, with a small business, keys and people.

Everything that is sent to it as somebody's personal data can be recognised (:func:`traces`), so that it can be looked
for where it must not be: in the log.
"""

import asyncio
import contextlib
import itertools
import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from leadmill.interfaces.house import House
from leadmill.main import open_house
from leadmill.parties import Role
from leadmill.parties.service import issue_key
from leadmill.runtime.settings import Settings
from tests.abuse.caller import Browser, Caller
from tests.answers import Reply
from tests.interfaces.stage import PASSWORD, PEOPLE, dress

BUSINESS = Path(__file__).with_name("business.toml")
GATE, SIDE_DOOR = "gate-key-0123456789abcdef", "side-door-key-0123456789abcdef"
CELLA, XENIA = "cella-key-0123456789abcdef", "xenia-key-0123456789abcdef"
SELLERS = ["Cella Solar LLC", "Xenia Solar Inc", "Jason Roofs Inc", "Forma Energy LLC"]
CONSENT = {
    "text": f"I agree that {', '.join(SELLERS)} may call, text and e-mail me, also with automated technology, at the"
    " number I gave. Agreeing is no condition of buying anything.",
    "sellers": SELLERS,
    "box_default": "unchecked",
}
FIRST, LAST = "Plantedina", "Verborgen"
_TRACES = re.compile(
    r"planted\.\d+|Plantedina|Verborgen|415[^\d\"]{0,2}2\d\d[^\d\"]?\d{4}|203\.0\.113\.77|Hidden Lane"
    r"|[a-z]+-key-0123|lmk_\w{20}",
    re.IGNORECASE,
)
_numbers = itertools.count(1_000)


def traces(text: str) -> list[str]:
    """Whatever of a planted person, or of a key, stands in a text."""
    return _TRACES.findall(text)


def lead(**fields: Any) -> dict[str, Any]:
    """A good lead of a person nobody has heard of; ``fields`` change its fields, one that is None is left out."""
    number = next(_numbers)
    given = {
        "first_name": FIRST,
        "last_name": LAST,
        "email": f"planted.{number}@gmail.com",
        "phone": f"415-2{number // 10_000 % 100:02d}-{number % 10_000:04d}",
        "address": "12 Hidden Lane",
        "zip": "94110",
        "state": "CA",
        "monthly_bill": 240,
        "homeowner": True,
        **fields,
    }
    return {
        "vertical": "solar",
        "fields": {name: value for name, value in given.items() if value is not None},
        "consent": CONSENT,
        "context": {"ip": "203.0.113.77", "user_agent": "Mozilla/5.0", "landing_page": "https://example.com/solar"},
    }


class Mill:
    """The running program: where it answers, the keys to it, its home and its log."""

    def __init__(self, home: Path, database_url: str, keys: dict[str, str]) -> None:
        self.home = home
        self.database_url = database_url
        self.keys = keys
        self.port = 0

    def caller(self, key: str | None = GATE) -> Caller:
        """A program with a key."""
        return Caller("127.0.0.1", self.port, {"authorization": f"Bearer {key}" if key else None})

    def browser(self) -> Browser:
        """A browser nobody has signed in with."""
        return Browser("127.0.0.1", self.port)

    def signed_in(self, role: Role) -> Browser:
        """A browser of somebody of this role."""
        browser = self.browser()
        browser.get("/sign-in")
        reply = self.sign_in(browser, PEOPLE[role][0], PASSWORD)
        assert reply.status == 303, reply.text[:500]
        return browser

    def sign_in(self, browser: Browser, email: str, password: str, **more: str) -> Reply:
        """Send the sign-in form."""
        return browser.submit(
            "/sign-in", {"_csrf": browser.cookies["leadmill_before"], "email": email, "password": password, **more}
        )

    def newest(self) -> str | None:
        """The id of the newest lead: the same before and after something that must have made none."""
        items = self.caller(self.keys["operator"]).get("/v1/leads?limit=1").json["items"]
        return items[0]["lead_id"] if items else None

    def log(self) -> str:
        """What the program has said so far."""
        return (self.home / "log").read_text("utf-8", "replace")

    def run(self, *words: str | Path, wait: float = 120.0) -> "subprocess.CompletedProcess[str]":
        """A command of the program on the same home and database."""
        return command(*words, "--home", self.home, "--database-url", self.database_url, wait=wait)

    def verify(self) -> None:
        """The books hold: ``leadmill verify`` finds nothing."""
        done = self.run("verify", "--json")
        report = json.loads(done.stdout)
        assert (done.returncode, report["findings"]) == (0, []), done.stdout[:3000] + done.stderr[-2000:]


def environ() -> dict[str, str]:
    """The environment without any setting of the program."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LEADMILL_")}


def command(*words: str | Path, wait: float = 120.0, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """A command of the program, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "leadmill", *map(str, words)],
        env=environ(), input=stdin, capture_output=True, text=True, timeout=wait, check=False,
    )  # fmt: skip


def until(done: Callable[[], Any], what: str, wait: float = 60.0) -> Any:
    """What ``done`` gives once it gives something."""
    end = time.monotonic() + wait
    while not (found := done()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


@contextmanager
def running_mill(home: Path, database_url: str) -> Iterator[Mill]:
    """The program for the length of the block; killed if it does not end by itself."""
    home.mkdir(parents=True, exist_ok=True)
    mill = Mill(home, database_url, _elsewhere(_dress(home, database_url)))
    with (home / "log").open("wb") as log, (home / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "leadmill", "serve", "--port", "0", "--home", home, "--database-url", database_url],
            env=environ(), stdout=said, stderr=log,
        )  # fmt: skip
        try:
            ready = until(lambda: _ready(process, mill), "the program to be ready", 150)
            mill.port = int(ready.rpartition(":")[2])
            yield mill
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(process: "subprocess.Popen[bytes]", mill: Mill) -> str:
    assert process.poll() is None, mill.log()
    said = (mill.home / "said").read_text()
    return said.strip() if said.startswith("ready ") and said.endswith("\n") else ""


def _elsewhere(work: Any) -> dict[str, str]:
    """Run a coroutine on a loop of its own in a thread of its own: the tests' loop belongs to the tests."""
    held: dict[str, Any] = {}

    def go() -> None:
        try:
            held["found"] = asyncio.run(work)
        except BaseException as fault:
            held["fault"] = fault

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    if "fault" in held:
        raise held["fault"]
    found: dict[str, str] = held["found"]
    return found


async def _dress(home: Path, database_url: str) -> dict[str, str]:
    """The business, people of every role, and keys of operators, one of them expired."""
    async with contextlib.AsyncExitStack() as stack:
        house = await stack.enter_async_context(
            open_house(Settings(home=home, database_url=database_url, connections=4, mx_lookups=False))
        )
        operator, analyst = await dress(house, [BUSINESS])
        return {"operator": operator, "analyst": analyst, **await _old_keys(house)}


async def _old_keys(house: House) -> dict[str, str]:
    found = {}
    then = house.clock() - timedelta(days=2)
    async with house.db.begin() as tx:
        for name, kind, owner, role in (
            ("old operator", "operator", "old-program", Role.OPERATOR),
            ("old source", "source", "gate", None),
            ("old buyer", "buyer", "cella", None),
        ):
            found[name], _ = await issue_key(
                tx, house.vault.keyed_hash, house.mint, secrets.token_bytes,
                kind=kind, owner=owner, role=role, now=then, expires_at=then + timedelta(days=1),  # type: ignore[arg-type]
            )  # fmt: skip
    return found
