"""The demo business, loaded and set going by ``leadmill serve --demo``.

The demo stands beside Leadmill as a program of its own (``python -m leadmill_demo``) that knows it only from outside.
Here its files are written, applied like anybody's, and somebody is made who may sign in.
"""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from leadmill.billing import open_account
from leadmill.core.faults import Permanent
from leadmill.flow.configure import apply_files
from leadmill.interfaces.cli.supervise import Child
from leadmill.interfaces.house import Opener
from leadmill.parties import Role, add_operator
from leadmill.parties.store import list_operators
from leadmill.runtime.settings import read_settings

EMAIL = "demo@leadmill.example"
PASSWORD = "look around freely"  # noqa: S105  it is printed for everybody to read, and serves this machine alone


class Demo(Struct, frozen=True):
    """The demo as prepared: the variables that its business needs, its process, and what to tell the person."""

    environ: dict[str, str]
    child: Child
    lines: list[str]


async def prepare_demo(opener: Opener, home: Path, url: str, port: int, environ: Mapping[str, str]) -> Demo:
    """Write, apply and people the demo. The stand-ins of its buyers listen on the two ports after ``port``.

    Raises Permanent ``demo.package.missing`` where the demo is not installed, and what ``apply`` raises.
    """
    folder = home / "demo"
    world, smtp = port + 1, port + 2
    ports = ["--world-port", str(world), "--smtp-port", str(smtp)]
    await asyncio.to_thread(_run, ["-m", "leadmill_demo", "--write", str(folder), *ports])
    own = _read_env(folder / "demo.env")
    everything = {**environ, **own}
    async with opener(read_settings(everything, home=home, log_level="warning")) as house:
        await apply_files(
            house.db,
            [folder / "business.toml"],
            author="demo",
            now=house.clock(),
            mint=house.mint,
            keyed_hash=house.vault.keyed_hash,
            environ=everything,
            verticals=house.book.walk().rules.verticals,
            dialects=house.book.walk().rules.dialects,
            on_buyer=open_account,
        )
        async with house.db.begin() as tx:
            fresh = not await list_operators(tx)
            if fresh:
                await add_operator(
                    tx,
                    house.mint,
                    email=EMAIL,
                    name="Demo admin",
                    role=Role.ADMIN,
                    password=PASSWORD,
                    now=house.clock(),
                )
        await house.book.refresh(house.db)
        forms = sorted(house.book.walk().rules.forms)
    lines = [
        f"Console          {url}/leads   sign in as {EMAIL}, password: {PASSWORD}",
        *(f"Form             {url}/f/{form}" for form in forms),
        f"What buyers got  http://127.0.0.1:{world}/",
        f"Mail inbox       http://127.0.0.1:{world}/mail",
        f"API              {url}/docs",
    ]
    arguments = ["--url", url, *ports, "--env-file", str(folder / "demo.env"), "--teach", str(folder / "model")]
    return Demo(own, Child("demo", arguments, module="leadmill_demo"), lines)


def _run(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)  # noqa: S603  our own program
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise Permanent("demo.package.missing", last or "the demo is not installed")


def _read_env(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name: value for name, _, value in pairs if not name.startswith("#")}
