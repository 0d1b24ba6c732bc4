"""Stations that break on purpose."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from leadmill.capture import Submission
from leadmill.core.case import Ask, Case, Heard
from leadmill.core.step import Step
from leadmill.core.verdicts import Verdict
from leadmill.flow.book import Book


class Breaks:
    """A step that fails on leads whose submission holds some bytes, and else does what it did."""

    def __init__(self, step: Step, on: bytes) -> None:
        self.name = step.name
        self._step = step
        self._on = on

    def wants(self, case: Case) -> Sequence[Ask]:
        """As ever."""
        return self._step.wants(case)

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Breaks, or as ever."""
        if self._on in case[Submission].body:
            raise ZeroDivisionError("ann@example.com is not divisible")
        return self._step.judge(case, heard, now)


def breaking(book: Book, name: str, on: str) -> Callable[[], None]:
    """Break the station ``name`` of the walk in force on leads that mention ``on``; the answer mends it."""
    whole = book.walk()
    stretches = {
        stretch: tuple(Breaks(step, on.encode()) if step.name == name else step for step in getattr(whole, stretch))
        for stretch in ("alone", "together", "after")
    }
    book._now = msgspec.structs.replace(whole, **stretches)

    def mend() -> None:
        book._now = whole

    return mend
