"""Retention carried out: who is due is found, and forgotten when all of their leads are; what hangs on leads is taken
out; holds are placed and lifted.

The rules are :mod:`leadmill.privacy`'s; here they meet the leads. ``running`` runs, ``holding`` holds.
"""

from leadmill.flow.retaining.holding import lift, place
from leadmill.flow.retaining.running import (
    Outside,
    Runner,
    begin_by_hand,
    plan_retention,
)

__all__ = ["Outside", "Runner", "begin_by_hand", "lift", "place", "plan_retention"]
