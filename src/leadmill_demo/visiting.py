"""What a source's own tracking tells of a visitor: visits before, pages seen, papers taken along.

Used by ``compose`` for enquiries that come over the API, and by ``lessons`` for those of the past, so that both look
alike.
"""

from datetime import datetime, timedelta
from random import Random
from typing import Any

_TOLD = 0.6
"""The share of visitors of whom anything is told."""


def visiting(rng: Random, now: datetime) -> dict[str, Any]:
    """What is told of one visitor; nothing of some."""
    if rng.random() >= _TOLD:
        return {}
    visits = min(12, int(rng.expovariate(0.7)))
    found: dict[str, Any] = {"visits": visits, "pages_viewed": 1 + min(30, int(rng.expovariate(0.3)))}
    if visits:
        found["last_visit_at"] = (now - timedelta(hours=int(rng.expovariate(1 / 90)))).isoformat(timespec="seconds")
    if rng.random() < 0.12:
        found["downloads"] = rng.choice((1, 1, 2))
    return found
