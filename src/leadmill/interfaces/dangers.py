"""What is dangerous at an address, declared with its route: which right it asks for, and under which name it is written
down.

Used by the console and the API. Whoever comes by a browser must have shown lately who they are, before the route is
entered at all; a program's key is as fresh as it ever gets. ``tests/interfaces/test_dangers.py`` walks every address:
one that changes something is dangerous, or stands there with the reason why it is not.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from leadmill.access import ACTS, Act, note_act
from leadmill.core.faults import Forbidden
from leadmill.parties import Right, Session, freshly_proved
from leadmill.runtime.db import Tx

_KEY = "danger"


class Danger(Struct, frozen=True):
    """An act that cannot be undone, changes who may come in, or takes records out of the house: its name among
    :data:`leadmill.access.ACTS`, and the right it asks for, None where people do it to themselves. ``unmasked`` says
    that no key may do it from which personal values are hidden, whatever its role."""

    act: str
    right: Right | None = None
    unmasked: bool = False

    def note(self, tx: Tx, who: str, about: str, now: datetime, address: str = "") -> None:
        """Write the act down, with the other rows of the transaction that does it."""
        note_act(tx, Act(now, who, self.act, about, address[:64]))


def danger(act: str, right: Right | None = None, unmasked: bool = False) -> dict[str, Danger]:
    """What a dangerous route declares, as its ``opt``."""
    if act not in ACTS:
        raise KeyError(act)
    return {_KEY: Danger(act, right, unmasked)}


def danger_of(opt: Mapping[str, Any]) -> Danger | None:
    """What a route declared; None for one that is not dangerous."""
    found = opt.get(_KEY)
    return found if isinstance(found, Danger) else None


def check_fresh(session: Session, now: datetime) -> None:
    """Raises Forbidden ``console.proof.stale`` where the operator did not show lately who they are, which sends a
    browser to the page that asks for it. Whoever sets up their first second factor has just come in."""
    if session.stage == "open" and not freshly_proved(session, now):
        raise Forbidden("console.proof.stale", "show once more that it is you")


def check_origin(headers: Mapping[str, str]) -> None:
    """Raises Forbidden ``console.form.foreign`` where the browser says that another site made it send this."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("console.form.foreign", "the form was sent from another site")
