"""Where a web process spends its time, by ``py-spy`` from outside while it works.

Called by the benchmarks where a person asks for it; ``py-spy`` is no dependency and has to be installed.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.house import Broken, say

_FORMATS = {".svg": "flamegraph", ".json": "speedscope", ".txt": "raw"}


@contextmanager
def profiling(pid: int, seconds: float, target: Path) -> Iterator[None]:
    """Record a process for ``seconds`` into ``target`` while the block runs. Raises :class:`Broken` where it
    cannot."""
    tool = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if tool is None:
        raise Broken("--profile needs py-spy: pip install py-spy")
    kind = _FORMATS.get(target.suffix)
    if kind is None:
        raise Broken(f"--profile writes {', '.join(_FORMATS)}, not {target.suffix or target.name}")
    command = [tool, "record", "--pid", str(pid), "--duration", str(max(1, round(seconds))), "--rate", "250"]
    command += ["--format", kind, "--output", str(target)]
    recorder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield
        words, _ = recorder.communicate(timeout=60)
        if recorder.returncode:
            raise Broken(f"py-spy: {words.decode(errors='replace').strip()[-300:]}")
        say(f"profile of a web process in {target}")
    finally:
        if recorder.poll() is None:
            recorder.kill()
            recorder.wait()
