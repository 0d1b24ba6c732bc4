"""Training in a process of its own: ``leadmill scoring train`` on the file, as a person would run it.

So neither whoever serves nor whoever works the jobs waits for it or needs its memory, and one that is killed leaves
nothing but a folder to sweep. The process gets none of the house's settings: it knows neither keys nor database.
"""

import asyncio
import os
import re
import sys
from collections.abc import Callable

import msgspec

from leadmill.core.faults import BadInput, Transient
from leadmill.flow.training.model import Task, Trained

_FAULT = re.compile(rb"^leadmill: ([a-z_]+\.[a-z_]+\.[a-z_]+): (.*)$", re.MULTILINE)
_OURS = "LEADMILL_"
_FINE = (0, 1)
"""Done, and done but not within the limits of fairness."""


def arguments_of(task: Task) -> list[str]:
    """What the command is called with."""
    about = {"pack": task.pack, "limits": task.limits, "history": task.history}
    told = task.file.with_suffix(".json")
    told.write_bytes(msgspec.json.encode(about))
    found = [str(task.file), "--target", task.target, "--time", task.time, "--out", str(task.out), "--json"]
    found += ["--about", str(told), "--seed", str(task.seed), "--threads", str(task.threads)]
    found += ["--tries", str(task.tries)] if task.tries is not None else ["--budget", str(task.budget_s)]
    signs = [f"{name}={'+' if sign > 0 else '-'}" for name, sign in task.monotone.items()]
    kinds = [f"{name}={kind}" for name, kind in task.kinds.items()]
    for option, values in (
        ("--exclude", task.exclude), ("--protected", task.protected), ("--keep", task.keep), ("--barred", task.barred),
        ("--monotone", signs), ("--kind", kinds),
    ):  # fmt: skip
        found += [f"{option}={value}" for value in values]  # one word: a value may begin with a dash
    return found + (["--against", str(task.against)] if task.against is not None else [])


def apart(hear: Callable[[bytes], object] | None = None) -> Callable[[Task], "asyncio.Future[Trained]"]:
    """A trainer that lets another process train; ``hear`` gets what that says on the way."""

    async def train(task: Task) -> Trained:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "leadmill", "scoring", "train", *arguments_of(task),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=environ,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            told, said, _ = await asyncio.gather(process.stdout.read(), _heard(process.stderr, hear), process.wait())
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode not in _FINE:
            raise _fault(process.returncode, said)
        try:
            card = msgspec.json.decode(told)["card"]
        except (msgspec.DecodeError, KeyError):
            raise _fault(process.returncode, said) from None
        return Trained(card, process.returncode == 0)

    return lambda task: asyncio.ensure_future(train(task))


async def _heard(stream: asyncio.StreamReader, hear: Callable[[bytes], object] | None) -> bytes:
    said = b""
    while chunk := await stream.read(4096):
        said = (said + chunk)[-65_536:]
        if hear is not None:
            hear(chunk)
    return said


def _fault(status: int | None, said: bytes) -> BadInput | Transient:
    """What the process refused, or that it ended without a word."""
    if found := list(_FAULT.finditer(said)):
        return BadInput(found[-1][1].decode(), found[-1][2].decode(errors="replace"))
    return Transient("scoring.training.lost", f"training ended with status {status}; it is tried again", after=60.0)
