"""The clock as a value, so that a test or a replay can bring its own.

Made in ``main``; every verb that needs the present moment takes a :data:`Clock`.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment in UTC."""


def system_clock() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)
