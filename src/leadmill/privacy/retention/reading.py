"""Reading schedules: the ``[[retention]]`` tables of the configuration, and the packs' defaults with the law's least
terms in ``common/retention.toml``.

Called by whoever assembles the rules in force. Nothing is ignored: an unknown key is refused with its place.
"""

from typing import cast

from leadmill.core.reading import Table
from leadmill.core.reasons import State
from leadmill.core.spans import is_span
from leadmill.privacy.retention.model import TARGETS, Least, Schedule, Since, Terms, What
from leadmill.runtime.packs import Packs

FILE = "retention.toml"
_CODE = "config.retention.malformed"
_STATES = tuple(state.value for state in State)
_SINCE = ("received", "closed", "used")


def read_retention(raw: object) -> Schedule:
    """A ``[[retention]]`` table. Raises BadInput ``config.retention.malformed``."""
    table = Table(raw, "retention", _CODE)
    ident = table.name()
    table.where = f"retention {ident}"
    what = _what(table)
    states, sources = table.texts("states", ()), table.texts("sources", ())
    found = Schedule(
        id=ident,
        what=what,
        keep=_span(table, "keep"),
        since=_since(table, what),
        states=states,
        verticals=table.texts("verticals", ()),
        sources=sources,
        regions=table.texts("regions", ()),
        why=table.text("why", ""),
        retired=table.flag("retired", False),
    )
    then = table.text("then", TARGETS[what].then)
    table.close()
    if then != TARGETS[what].then:
        table.refuse(f"what becomes of {what} is '{TARGETS[what].then}'", "then")
    for state in states:
        if state not in _STATES:
            table.refuse(f"must be of {', '.join(_STATES)}", "states")
    narrowed = states or sources or found.verticals or found.regions
    if narrowed and what not in ("leads", "submissions"):
        table.refuse(f"{what} are not told apart; leave states, verticals, sources and regions out")
    return found


def read_terms(packs: Packs) -> Terms:
    """The defaults and the law's least terms. Raises BadInput ``config.retention.malformed`` with the place."""
    raw = packs.common.files.get(FILE, {})
    top = Table(raw, f"common/{FILE}", _CODE)
    top.value("version", 1)
    schedules = [read_retention(one) for one in top.tables("retention")]
    least = [_least(one, number) for number, one in enumerate(top.tables("least"))]
    top.close()
    made = [
        Schedule(**{name: getattr(one, name) for name in Schedule.__struct_fields__ if name != "of_pack"}, of_pack=True)
        for one in schedules
    ]
    return Terms({one.id: one for one in made}, tuple(least))


def _least(raw: object, number: int) -> Least:
    table = Table(raw, f"common/{FILE}, least[{number}]", _CODE)
    what = _what(table)
    found = Least(
        id=table.text("id"),
        what=what,
        keep=_span(table, "keep"),
        since=_since(table, what),
        citation=table.text("citation"),
        why=table.text("why"),
        used=table.flag("used", False),
        verticals=table.texts("verticals", ()),
        regions=table.texts("regions", ()),
    )
    table.close()
    return found


def _what(table: Table) -> What:
    return cast(What, table.choice("what", TARGETS))


def _since(table: Table, what: What) -> Since:
    found = cast(Since, table.choice("since", _SINCE, TARGETS[what].since[0]))
    if found not in TARGETS[what].since:
        table.refuse(f"of {what} it counts from {' or '.join(TARGETS[what].since)}", "since")
    return found


def _span(table: Table, key: str) -> str:
    found = table.text(key)
    if not is_span(found) or found[0] == "0" or found.endswith("h"):
        table.refuse("write a span such as 90d, 24mo or 5y", key)
    return found
