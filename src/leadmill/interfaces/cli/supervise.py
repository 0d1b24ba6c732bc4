"""``leadmill serve``: one parent that owns the socket and the store, and children that do the work.

Called by the command ``serve``. The parent binds the address, starts the children (web processes that share the
socket, one worker for jobs, in the demo also the buyers' stand-ins and the traffic), starts one anew when it dies,
and takes all down in order on Ctrl-C. A child whose parent is gone ends by itself, so that nothing is left over
however the parent died.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence

from msgspec import Struct

from leadmill.core.faults import Permanent
from leadmill.runtime.telemetry import forget_process

_PATIENCE = 15.0
"""Seconds a child has to end by itself before it is killed."""
_TEND = 1.0
_QUICK = 5.0
"""A child that lived no longer than this is started anew more and more slowly."""


class Child(Struct, frozen=True):
    """A process to keep running: what to call it, its arguments after the module, and whether it needs the socket."""

    name: str
    arguments: Sequence[str]
    socket: bool = False
    module: str = "leadmill"


class _Running:
    def __init__(self, child: Child, process: subprocess.Popen[bytes], at: float) -> None:
        self.child = child
        self.process = process
        self.at = at
        self.falls = 0


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Permanent ``serve.port.taken`` where another program has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as fault:
        listening.close()
        raise Permanent(
            "serve.port.taken", f"cannot listen on {host}:{port} ({fault.strerror}); choose another with --port"
        ) from fault
    listening.listen(2048)
    listening.set_inheritable(True)
    return listening


async def supervise(
    children: Sequence[Child],
    listening: socket.socket,
    environ: Mapping[str, str],
    ready: Callable[[], Coroutine[None, None, None]],
    say: Callable[[str], None],
    tend: Callable[[], None],
) -> None:
    """Keep the children running until SIGINT or SIGTERM.

    ``ready`` runs once they were all started; ``tend`` is called every second, in a thread, to look after what the
    parent owns besides them.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = [_start(child, listening, environ) for child in children]
    announce = asyncio.create_task(ready())
    tended = time.monotonic()
    try:
        while not stop.is_set():
            if time.monotonic() - tended > _TEND:
                await asyncio.to_thread(tend)
                tended = time.monotonic()
            for one in running:
                if one.process.poll() is not None:
                    forget_process(one.process.pid)
                    say(f"{one.child.name} ended with {one.process.returncode}; starting it again")
                    await _again(one, listening, environ)
            try:
                await asyncio.wait_for(stop.wait(), 0.25)
            except TimeoutError:
                continue
    finally:
        announce.cancel()
        say("stopping")
        await _stop([one.process for one in running])


def _start(child: Child, listening: socket.socket, environ: Mapping[str, str]) -> _Running:
    more = ["--fd", str(listening.fileno())] if child.socket else []
    process = subprocess.Popen(  # noqa: S603  our own program with our own arguments
        [sys.executable, "-m", child.module, *child.arguments, *more, "--parent", str(os.getpid())],
        env=dict(environ),
        pass_fds=(listening.fileno(),) if child.socket else (),
        # A Ctrl-C on the terminal goes to the parent alone, which then stops the children in order.
        start_new_session=True,
    )
    return _Running(child, process, time.monotonic())


async def _again(one: _Running, listening: socket.socket, environ: Mapping[str, str]) -> None:
    lived = time.monotonic() - one.at
    one.falls = one.falls + 1 if lived < _QUICK else 0
    if one.falls:
        await asyncio.sleep(min(0.2 * 2**one.falls, 10.0))
    fresh = _start(one.child, listening, environ)
    one.process, one.at = fresh.process, fresh.at


async def _stop(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and any(one.poll() is None for one in processes):  # noqa: ASYNC110  nothing tells
        await asyncio.sleep(0.05)
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()


async def end_with_parent(parent: int, stop: Callable[[], None]) -> None:
    """Call ``stop`` once the parent process is gone: what every child runs beside its work."""
    while os.getppid() == parent:  # noqa: ASYNC110  the kernel tells nobody in a portable way
        await asyncio.sleep(0.5)
    stop()
