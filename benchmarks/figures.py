"""Arithmetic of the figures: percentiles, CPU time by tree of processes, pgbench's report.

Called by the benchmarks; pure but for :func:`cpu_of_tree`, which reads ``/proc``.
"""

import math
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of the ordered values do not exceed (nearest rank); NaN for none."""
    if not 0 <= share <= 1:
        raise ValueError("a share lies between 0 and 1")
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Iterable[float]) -> float:
    """The middle value, or the mean of the two in the middle; NaN for none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def parse_pgbench(report: str) -> float:
    """Transactions a second, without the time it took to connect, from pgbench's report. Raises ValueError where it
    has none, or where transactions failed."""
    found = re.search(r"^tps = ([0-9.]+) \(without initial connection time\)", report, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: ([0-9]+)", report, re.MULTILINE)
    if found is None or (failed is not None and int(failed[1])):
        raise ValueError(f"pgbench reported no clean figure: {report.strip()[-300:]}")
    return float(found[1])


def parse_stat(text: str) -> tuple[int, float]:
    """From a process' ``/proc`` stat line: its parent, and its seconds of CPU with those of its buried children."""
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold anything
    return int(fields[1]), sum(int(ticks) for ticks in fields[11:15]) / _TICK


def cpu_of_tree(root: int) -> dict[int, float]:
    """Seconds of CPU of a process and of each living descendant; what dead ones used counts with who buried them."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue  # it ended meanwhile
            parents[int(entry.name)], used[int(entry.name)] = parse_stat(text)
    return {pid: seconds for pid, seconds in used.items() if _is_under(pid, root, parents)}


def _is_under(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid != root:
        if pid not in parents:
            return False
        pid = parents[pid]
    return True
