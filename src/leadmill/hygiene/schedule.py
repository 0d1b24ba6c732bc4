"""When leads that are still open are looked at once more: the ``[[reverify]]`` tables of the configuration.

Read by whoever assembles the rules in force; acted on by ``flow``.
"""

from msgspec import Struct

from leadmill.core.reading import Table
from leadmill.core.spans import is_span
from leadmill.enrich import read_price

_CODE = "config.reverify.malformed"
STATES = ("nurture", "assigned")
"""Where a lead stands that is still worth it: kept for later, or with our own people."""


class Reverify(Struct, frozen=True, kw_only=True):
    """One schedule. Leads of ``verticals`` (empty: of all) in one of ``states`` are asked about on ``topics`` (empty:
    on all) once what is known is ``every`` old, until the lead itself is ``until`` old: spans such as ``90d``. At most
    ``per_day`` leads a day (UTC), and no more once the day's looks have cost ``spend`` (millionths; None: no bound of
    its own)."""

    id: str
    verticals: tuple[str, ...] = ()
    states: tuple[str, ...] = STATES
    topics: tuple[str, ...] = ()
    every: str = "90d"
    until: str = "12mo"
    per_day: int = 200
    spend: int | None = None
    retired: bool = False


def read_reverify(raw: object) -> Reverify:
    """A ``[[reverify]]`` table. Raises BadInput ``config.reverify.malformed``."""
    table = Table(raw, "reverify", _CODE)
    ident = table.name()
    table.where = f"reverify {ident}"
    states = table.texts("states", STATES)
    for state in states:
        if state not in STATES:
            table.refuse(f"must be of {', '.join(STATES)}: other leads are closed, or somebody else's", "states")
    found = Reverify(
        id=ident,
        verticals=table.texts("verticals", ()),
        states=states,
        topics=table.texts("topics", ()),
        every=_span(table, "every", "90d"),
        until=_span(table, "until", "12mo"),
        per_day=table.whole("per_day", 200, 1, 1_000_000),
        spend=read_price(table, "spend") if table.has("spend") else None,
        retired=table.flag("retired", False),
    )
    table.close()
    if not states:
        table.refuse("names no state", "states")
    return found


def _span(table: Table, key: str, default: str) -> str:
    found = table.text(key, default)
    if not is_span(found) or found.endswith("h") or found[0] == "0":
        table.refuse("write a span such as 30d, 6w or 12mo", key)
    return found
