"""``leadmill serve`` and the processes it is made of.

The parent owns the store and the socket; ``web`` answers requests, ``work`` works the jobs. Both are commands of
their own so that a larger house can run them on other machines over one database.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

import typer

from leadmill.core.conversation import HttpAsk
from leadmill.core.faults import Fault, Permanent
from leadmill.flow.backups import refuse_unfinished
from leadmill.interfaces.cli.demo import prepare_demo
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, err, guarded, run, settings
from leadmill.interfaces.cli.supervise import Child, bind, end_with_parent, supervise
from leadmill.interfaces.house import House, Opener, Work
from leadmill.runtime.addresses import Reach
from leadmill.runtime.clock import system_clock
from leadmill.runtime.http import Http
from leadmill.runtime.migrate import migrate
from leadmill.runtime.postgres import only_server, revive, store
from leadmill.runtime.settings import Settings
from leadmill.runtime.telemetry import configure, share_metrics

Parent = Annotated[int, typer.Option("--parent", hidden=True, help="End when this process is gone.")]


def add_to(app: typer.Typer, opener: Opener, serve_on: Work, work: Work) -> None:
    """Add the commands to the program."""

    @app.command("serve", epilog="Example: leadmill serve --demo --port 8080")
    def serve(
        host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
        port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="8080")] = None,
        workers: Annotated[int | None, typer.Option(help="Web processes.", show_default="1")] = None,
        demo: Annotated[bool, typer.Option("--demo", help="Load the demo business and let traffic flow.")] = False,
        no_worker: Annotated[bool, typer.Option("--no-worker", hidden=True, help="Jobs are queued only.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
    ) -> None:
        """Run everything: API, console, worker and, unless given another, the database."""
        chosen = settings(home, database_url, host=host, port=port, workers=workers)
        raise typer.Exit(guarded(lambda: asyncio.run(_serve(opener, chosen, demo, not no_worker))))

    @app.command("web", hidden=True)
    def web(
        fd: Annotated[int, typer.Option(help="The listening socket's file descriptor.")],
        parent: Parent = 0,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
    ) -> None:
        """Answer requests on a socket that the parent opened."""

        async def act(house: House) -> int:
            stop = asyncio.Event()
            async with _until(parent, stop):
                await serve_on(house, stop, fd)
            return 0

        run(opener, settings(home, database_url), act)

    @app.command("work", epilog="Example: leadmill work --database-url postgresql://…")
    def worker(parent: Parent = 0, home: HomeDir = None, database_url: DatabaseUrl = None) -> None:
        """Work the jobs: deliveries, messages, imports, housekeeping."""

        async def act(house: House) -> int:
            stop = asyncio.Event()
            async with _until(parent, stop):
                await work(house, stop, 0)
            return 0

        run(opener, settings(home, database_url), act)


@asynccontextmanager
async def _until(parent: int, stop: asyncio.Event) -> AsyncIterator[None]:
    """Set ``stop`` on SIGINT, on SIGTERM and when the parent is gone."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    leash = asyncio.create_task(end_with_parent(parent, stop.set)) if parent else None
    try:
        yield
    finally:
        if leash is not None:
            leash.cancel()


async def _serve(opener: Opener, chosen: Settings, demo: bool, worker: bool) -> int:
    configure("warning")
    chosen.home.mkdir(parents=True, exist_ok=True)
    refuse_unfinished(chosen.home)
    with only_server(chosen.home):
        listening = bind(chosen.host, chosen.port)
        port = listening.getsockname()[1]
        url = f"http://{chosen.host}:{port}"
        try:
            with store(chosen.home, chosen.database_url, _say) as database_url:
                await migrate(database_url)
                environ = dict(os.environ)
                environ |= share_metrics(chosen.home)
                environ |= {"LEADMILL_HOME": str(chosen.home), "LEADMILL_DATABASE_URL": database_url}
                environ |= {"LEADMILL_PUBLIC_URL": chosen.public_url or url, "LEADMILL_WORKERS": str(chosen.workers)}
                children = [Child(f"web {number}", ["web"], socket=True) for number in range(1, chosen.workers + 1)]
                if worker:
                    children.append(Child("worker", ["work"]))
                lines = [f"Console: {url}/leads   API: {url}/docs"]
                if demo:
                    prepared = await prepare_demo(opener, chosen.home, url, port, environ)
                    environ |= prepared.environ
                    children.append(prepared.child)
                    lines = prepared.lines
                tend = _nothing if chosen.database_url else partial(revive, chosen.home, _say)
                await supervise(children, listening, environ, lambda: _announce(url, lines), _say, tend)
        finally:
            listening.close()
    return 0


def _nothing() -> None:
    """Somebody else looks after a database that is not ours."""


async def _announce(url: str, lines: Sequence[str]) -> None:
    """Print the one line that says that leads can be taken, once it is true, and then where to look."""
    until = time.monotonic() + 120
    async with Http(Reach(loopback=True, private=True, plain=True), {}, system_clock) as http:
        while time.monotonic() < until:
            if await _ready(http, url):
                sys.stdout.write(f"ready {url}\n")
                sys.stdout.flush()
                for line in lines:
                    err.print(line, markup=False)
                return
            await asyncio.sleep(0.1)
    raise Permanent("serve.start.slow", "the web process did not become ready within two minutes; see the log")


async def _ready(http: Http, url: str) -> bool:
    try:
        return (await http.perform(HttpAsk("GET", f"{url}/readyz", budget_ms=2000))).status == 200
    except Fault:
        return False


def _say(text: str) -> None:
    err.print(f"leadmill: {text}", markup=False)
