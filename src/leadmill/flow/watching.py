"""What the walk tells of itself: how long leads spent at each station, and where a step broke.

Called by the runner and by the import.
"""

import traceback

from leadmill.flow.walker import Walker
from leadmill.runtime.telemetry import STEP_SECONDS, log

Pace = dict[str, float]
"""Seconds that several leads together spent at each station of the stretch that they walk alone."""


def tell_station(name: str, seconds: float) -> None:
    """Count the time of a lead at a station, or the mean of several."""
    STEP_SECONDS.labels(name).observe(seconds)


def tell_pace(pace: Pace, leads: int) -> None:
    """Count the mean of so many leads: counting each by itself takes as long as some stations do."""
    for name, seconds in pace.items():
        tell_station(name, seconds / leads)


def report_broken(walker: Walker, fault: BaseException) -> None:
    """Tell the log where a step broke. The fault's text may quote the lead, so only its type and place are told."""
    frame = traceback.extract_tb(fault.__traceback__)[-1:]
    place = f"{frame[0].filename}:{frame[0].lineno}" if frame else ""
    log("flow").error("step broke", lead=walker.case.lead_id, step=walker.at, fault=type(fault).__name__, place=place)
