"""The web process: the application on uvicorn, on a socket that the parent opened.

Called by the command ``web``. Builds the wiring that the API, the console and the forms read, mounts the intake
beside the framework, and ends when it is told to or when the parent is gone.
"""

import asyncio
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadmill import __version__
from leadmill.core.faults import Transient
from leadmill.core.ids import mint
from leadmill.flow.asking import ask_after
from leadmill.flow.posting import post_lead
from leadmill.interfaces.api.dialects import Interpreter
from leadmill.interfaces.api.intake import Intake
from leadmill.interfaces.api.ping import PingDoor
from leadmill.interfaces.api.problems import MEDIA_TYPE, problem_for
from leadmill.interfaces.api.refresh import Refresh
from leadmill.interfaces.house import House
from leadmill.interfaces.uploads import start_upload
from leadmill.interfaces.web import build_app
from leadmill.interfaces.wiring import Deadlines, Wiring
from leadmill.runtime import telemetry


async def serve_on(house: House, stop: asyncio.Event, fd: int) -> None:
    """Answer requests on the socket ``fd`` until ``stop`` is set; what is under way is finished."""
    listening = socket.socket(fileno=fd)
    config = configured(application(house), house.settings.trusted_proxies)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await stop.wait()
    server.should_exit = True
    await serving
    await house.quoter.close()
    await house.mill.close()
    await house.floor.close()


def configured(app: "Callable[..., object]", trusted_proxies: str) -> uvicorn.Config:
    """How uvicorn serves the application. What proxies say of the caller is believed of those alone that are named."""
    return uvicorn.Config(
        app,
        http=_Protocol,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        lifespan="off",
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies or None,
    )


class _Protocol(HttpToolsProtocol):
    """What is not HTTP at all is answered like every other fault."""

    def send_400_response(self, msg: str) -> None:
        """Answer and hang up."""
        problem = problem_for(
            400, "api.request.malformed", "this cannot be read as an HTTP request", request_id=secrets.token_hex(12)
        )
        body = problem.encode()
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            f"x-request-id: {problem.request_id}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The command has the signals; the server is told through ``stop``."""
        yield


def application(house: House) -> "Callable[..., object]":
    """The whole web application: the intake, and the framework for everything else."""
    rest = build_app(wiring(house))
    refresh = Refresh(house.kit.refresh)
    intake = Intake(
        house.mill.take,
        lambda: house.book.ring.callers,
        house.vault.keyed_hash,
        lambda: house.book.walk().rules,
        house.clock,
        mint,
        _alarm,
        refresh,
        house.entrance.gate,
    )

    quoter = house.quoter
    pings = PingDoor(intake, quoter.quote, partial(post_lead, house.kit, house.mill.take))
    doors: dict[str, Callable[..., Awaitable[None]]] = {
        "/v1/leads": intake,
        "/v1/ping": pings.ping,
        "/v1/post": pings.post,
    }

    interpreter = Interpreter(
        house.mill.take,
        lambda: house.book.ring.callers,
        house.vault.keyed_hash,
        lambda: house.book.walk().rules,
        house.clock,
        mint,
        _alarm,
        refresh,
        quoter.quote,
        partial(post_lead, house.kit, house.mill.take),
        house.entrance.gate,
    )

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and (door := doors.get(str(scope["path"]))):
            await door(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in ("/v1/ping", "/v1/post"):
            await pings.refuse(scope, receive, send)  # type: ignore[arg-type]
        elif scope["type"] == "http" and (ways := interpreter.doors().find(str(scope["path"]))):
            await interpreter({**scope, "leadmill.ways": ways}, receive, send)  # type: ignore[arg-type]
        else:
            await rest(scope, receive, send)  # type: ignore[arg-type]

    return app


def wiring(house: House) -> Wiring:
    """What the pages and the API work with."""

    async def ready() -> None:
        async with house.db.begin() as tx:
            if await tx.conn.fetchval("SELECT 1") != 1:
                raise Transient("serve.store.silent", "the store does not answer")

    return Wiring(
        kit=house.kit,
        take=house.mill.take,
        ring=lambda: house.book.ring,
        keyed_hash=house.vault.keyed_hash,
        random=secrets.token_bytes,
        start_import=lambda given: start_upload(house, given),
        ready=ready,
        exposition=telemetry.exposition,
        home=house.settings.home,
        packs=house.packs,
        lists=house.lists,
        ask_after=lambda tx, lead_id, order_id: ask_after(tx, house.pen, house.book, lead_id, order_id),
        version=__version__,
        entrance=house.entrance,
        public_url=house.settings.public_url,
        deadlines=Deadlines(house.settings.auction_ms, house.settings.post_rounds, house.settings.market_quote_seconds),
        secure=house.settings.public_url.startswith("https://"),
    )


def _alarm(broken: BaseException) -> None:
    telemetry.log("web").error("a request broke", exc_info=broken)
