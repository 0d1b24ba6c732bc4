"""Why a card changes: asked for before a file's is put in force, as the page “Scores” asks for it.

Called by ``configure`` when files are applied. A card that is declared for the first time needs no reason, nor does one
that stays as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from leadmill.capture import Vertical, canonical_vertical, vertical_names
from leadmill.core.faults import BadInput
from leadmill.flow.planning import Declared, decode
from leadmill.scoring import CARD_KIND


def explained(
    declared: Sequence[Declared],
    standing: Mapping[tuple[str, str], str],
    verticals: Mapping[str, Vertical],
    why: str = "",
) -> list[Declared]:
    """The tables with a reason for every card that changes: its own ``why`` where that is another than the standing
    one's, else the one given for all. Raises BadInput ``scoring.card.unexplained`` with the place where there is
    none."""
    names = vertical_names(verticals)
    return [_explained(item, standing, names, why) if item.kind == CARD_KIND else item for item in declared]


def _explained(item: Declared, standing: Mapping[tuple[str, str], str], names: Mapping[str, str], why: str) -> Declared:
    vertical = item.raw.get("vertical")
    body = standing.get((CARD_KIND, canonical_vertical(vertical, names))) if isinstance(vertical, str) else None
    if body is None:
        return item
    before = decode(body)
    said, known = item.raw.get("why", ""), before.get("why", "")
    if _tables(item.raw) == _tables(before):
        kept = {"why": known} if known and not said else {}
        return Declared(item.kind, {**item.raw, **kept}, item.place)
    if said and said != known:
        return item
    if not why.strip():
        told = f"{item.place}: the card of {vertical} changes: say why, in why of the table or with --why"
        raise BadInput("scoring.card.unexplained", told)
    return Declared(item.kind, {**item.raw, "why": why.strip()}, item.place)


def _tables(raw: Mapping[str, Any]) -> bytes:
    """What a record says of its card, whatever its keys' order."""
    return msgspec.json.encode({key: raw[key] for key in raw if key not in ("why", "vertical")}, order="deterministic")
