"""Reading ``[[retrain]]``, and when training is due. Pure."""

from collections.abc import Container, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from leadmill.core.reading import Table
from leadmill.core.spans import after, is_span
from leadmill.scoring.labels import TARGETS
from leadmill.scoring.retraining.model import KIND, Retrain, Run

_CODE = "scoring.retrain.malformed"
_SOONEST = timedelta(days=1)
"""How long after the last time drift has a model trained again at the earliest."""
_COMPARED = timedelta(days=30)
"""How long a shadow is heard beside the others on leads whose horizon is over."""
_LONGEST_ID = 40
_MOST_WORDS = 500
_MOST_COLUMNS, _LONGEST_COLUMN = 200, 200
_WAITS = frozenset({"converted", "bad"})
"""Targets whose labels are known once the horizon is over."""


def read_retrain(raw: object) -> Retrain:
    """A ``[[retrain]]`` as declared. Raises :class:`BadInput` ``scoring.retrain.malformed``."""
    table = Table(raw, KIND, _CODE)
    ident = table.name()
    table.where = f"{KIND} {ident}"
    if len(ident) > _LONGEST_ID:
        table.refuse(f"use at most {_LONGEST_ID} characters: models are named after it", "id")
    every = table.text("every", "30d")
    if not is_span(every) or every.endswith("h") or every[0] == "0":
        table.refuse("write a span such as 30d, 6w or 12mo", "every")
    why = table.text("why", "")
    if len(why) > _MOST_WORDS:
        table.refuse(f"use at most {_MOST_WORDS} characters", "why")
    target: Any = table.choice("target", tuple(TARGETS), "converted")
    place: Any = table.choice("as", ("candidate", "shadow"), "candidate")
    found = Retrain(
        id=ident,
        vertical=table.text("vertical"),
        target=target,
        every=every,
        least_new=table.whole("least_new", 200, 1, 1_000_000),
        horizon=table.whole("horizon", 60, 1, 730),
        budget_s=table.whole("budget_s", 120, 1, 86_400),
        tries=table.whole("tries", 1, 1, 500) if table.has("tries") else None,
        place=place,
        after_drift=table.flag("after_drift", True),
        retired=table.flag("retired", False),
        why=why,
        exclude=_columns(table, "exclude"),
        keep=_columns(table, "keep"),
        monotone=_signs(table),
    )
    for name in found.exclude:
        if name in found.keep or name in found.monotone:
            table.refuse(f"'{name}' is left out; name it neither in keep nor in monotone", "exclude")
    table.close()
    return found


def _columns(table: Table, key: str) -> tuple[str, ...]:
    found = table.texts(key, ())
    if len(found) > _MOST_COLUMNS or len(set(found)) < len(found) or any(len(name) > _LONGEST_COLUMN for name in found):
        table.refuse(f"name at most {_MOST_COLUMNS} columns of at most {_LONGEST_COLUMN} characters, each once", key)
    return found


def _signs(table: Table) -> dict[str, Literal["+", "-"]]:
    found: Any = table.value("monotone", {})
    if not isinstance(found, dict) or not all(sign in ("+", "-") for sign in found.values()):
        table.refuse('write a table such as { monthly_bill = "+" }, with "+" or "-"', "monotone")
    if len(found) > _MOST_COLUMNS or not all(name.strip() and len(name) <= _LONGEST_COLUMN for name in found):
        table.refuse(f"name at most {_MOST_COLUMNS} columns of at most {_LONGEST_COLUMN} characters", "monotone")
    return dict(found)


def due(terms: Retrain, last: Run | None, drifted: bool, now: datetime) -> bool:
    """Whether training is due by the calendar or by drift; whether enough is new is asked then."""
    if terms.retired:
        return False
    if last is None or after(last.at, terms.every) <= now:
        return True
    return terms.after_drift and drifted and last.at + _SOONEST <= now


def new_from(terms: Retrain, last: Run | None, now: datetime) -> tuple[datetime | None, datetime]:
    """Between which moments leads came whose labels have become known since the last time."""
    wait = timedelta(days=terms.horizon if terms.target in _WAITS else 0)
    return (None if last is None else last.at - wait), now - wait


def outlived(terms: Retrain, waiting: Sequence[Run], now: datetime) -> list[str]:
    """Which of the models of a record that nobody has placed go as the next one is made. Of candidates all do. Of
    shadows one stays until it was compared on leads whose horizon is over, then the next: if each went with the next,
    none would ever be. So two are heard beside one another at most."""
    if terms.place != "shadow":
        return [one.model for one in waiting]
    grown = now - timedelta(days=terms.horizon) - _COMPARED
    young = sorted((one for one in waiting if one.at > grown), key=lambda one: one.at)
    stays = young[0].model if young else None
    return [one.model for one in waiting if one.model != stays]


def model_id(terms: Retrain, now: datetime, taken: Container[str]) -> str:
    """What a model that is made now is called."""
    name = f"{terms.id}-{now:%Y%m%d}"
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found
