"""Reading what counts from packs: the defaults of ``common/fraud.toml``, and what a vertical changes in the ``[fraud]``
table of its ``pack.toml``.

Called by whoever assembles the rules in force. Nothing is ignored: an unknown signal, kind or key is refused with its
place.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import msgspec

from leadmill.core.reading import Table, nearest
from leadmill.core.spans import before, is_span
from leadmill.fraud.model import KINDS, Card, Kind
from leadmill.fraud.signals import SIGNALS
from leadmill.runtime.packs import Packs

FILE = "fraud.toml"
_CODE = "fraud.card.malformed"
_NEVER = 101
"""A threshold that no score reaches."""
_MOST = 5_000
"""The highest limit of a window: as many sightings of a mark may have to be kept."""
_LEAST_KEPT = 16
"""Sightings of a mark that are kept in any case, so that old ones are recognised."""
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_KEEP_DAYS = 35


def read_fraud_cards(packs: Packs) -> dict[str, Card]:
    """The card of each vertical. Raises ``BadInput`` ``fraud.card.malformed`` with the place of what is wrong.

    Marks know no verticals, so all cards keep as many sightings, for as long, as the one that wants most.
    """
    common = packs.common.files.get(FILE, {})
    read_card(common, "", f"common/{FILE}")
    found = {}
    for name, pack in packs.verticals.items():
        own = pack.files.get("pack.toml", {}).get("fraud", {})
        found[name] = read_card(_laid_over(common, own), name, f"{name}/pack.toml, fraud")
    keep: dict[Kind, int] = {}
    days: dict[Kind, int] = {}
    for card in found.values():
        for kind in KINDS:
            keep[kind] = max(keep.get(kind, 0), card.keep[kind])
            days[kind] = max(days.get(kind, 0), card.days[kind])
    return {name: msgspec.structs.replace(card, keep=keep, days=days) for name, card in found.items()}


def read_card(raw: Mapping[str, Any], vertical: str, where: str) -> Card:
    """One card as decoded from TOML. See ``packs/common/fraud.toml`` for all its keys."""
    top = Table(raw, where, _CODE)
    top.value("version", 1)
    weights = _weights(top)
    limits = _windows(top, "limits", "velocity")
    crowds = _windows(top, "crowds", "crowd")
    windows: dict[Kind, tuple[int, ...]] = {
        kind: tuple(sorted({*limits.get(kind, {}), *crowds.get(kind, {})}))
        for kind in KINDS
        if kind in limits or kind in crowds
    }
    for kind in KINDS:
        # What is counted by nothing is still recognised when it comes back.
        windows.setdefault(kind, (30 * 86_400,)) if kind != "source" else None
    review_at = top.whole("review_at", _NEVER, 1, _NEVER)
    reject_at = top.whole("reject_at", _NEVER, 1, _NEVER)
    if review_at > reject_at:
        top.refuse(f"must not be over reject_at ({reject_at})", "review_at")
    returns = top.inner(top.value("returns", {}), "returns")
    burst = top.inner(top.value("burst", {}), "burst")
    age = top.inner(top.value("age", {}), "age")
    quality = top.inner(top.value("quality", {}), "quality")
    factor = burst.value("factor", 5)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 1 <= factor <= 1000:
        burst.refuse("must be a number from 1 to 1000", "factor")
    days = _days(top)
    card = Card(
        vertical=vertical,
        review_at=review_at,
        reject_at=reject_at,
        weights=weights,
        windows=windows,
        limits=_aligned(limits, windows),
        crowds=_aligned(crowds, windows),
        keep={kind: _kept(limits.get(kind, {}), crowds.get(kind, {})) for kind in KINDS},
        days=days,
        shared=_networks(top),
        recycled_days=age.whole("recycled_days", 7, 1, 3650),
        posted_hours=age.whole("posted_hours", 72, 1, 87_600),
        consent_days=age.whole("consent_days", 90, 1, 3650),
        half_life_days=returns.whole("half_life_days", 60, 1, 3650),
        returns=returns.texts("dispositions", ()),
        burst_least=burst.whole("least", 200, 1, 1_000_000),
        burst_factor=float(factor),
        ripe_days=quality.whole("ripe_days", 10, 0, 365),
        poor_share=quality.whole("poor_share", 40, 1, 100),
        patience=quality.whole("patience_days", 1_000, 10, 1_000_000),
        digest=hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:16],
    )
    for table in (returns, burst, quality, age, top):
        table.close()
    return card


def _weights(top: Table) -> dict[str, int]:
    raw = top.value("weights", {})
    table = top.inner(raw, "weights")
    found = {}
    for code in raw if isinstance(raw, Mapping) else ():
        if code not in SIGNALS:
            table.refuse(f"there is no such signal; {nearest(str(code), SIGNALS)}", str(code))
        found[str(code)] = table.whole(str(code), ..., 0, 99)
    return found


def _windows(top: Table, name: str, sort: str) -> dict[Kind, dict[int, int]]:
    """Limits by kind and window (seconds); a limit of 0 is none."""
    raw = top.value(name, {})
    table = top.inner(raw, name)
    known = [kind for kind in KINDS if f"{sort}.{kind}" in SIGNALS]
    found: dict[Kind, dict[int, int]] = {}
    for kind in raw if isinstance(raw, Mapping) else ():
        if kind not in known:
            table.refuse(f"nothing is counted by '{kind}' here; {nearest(str(kind), known)}", str(kind))
        inner = table.inner(table.value(kind), str(kind))
        limits = {}
        for span in table.value(kind):
            if not is_span(str(span)) or str(span).endswith(("mo", "y")):
                inner.refuse("write a window such as 1h, 24h or 30d", str(span))
            most = inner.whole(str(span), ..., 0, _MOST)
            if most:
                limits[int((_SOME_DAY - before(_SOME_DAY, str(span))).total_seconds())] = most
        if limits:
            found[kind] = limits
    return found


def _aligned(
    limits: Mapping[Kind, Mapping[int, int]], windows: Mapping[Kind, tuple[int, ...]]
) -> dict[Kind, tuple[int | None, ...]]:
    return {kind: tuple(own.get(window) for window in windows[kind]) for kind, own in limits.items()}


def _kept(limits: Mapping[int, int], crowds: Mapping[int, int]) -> int:
    """One more than any limit, so that it can be seen to be exceeded; of a crowd three times as many, since one person
    may come more than once."""
    return max([_LEAST_KEPT, *(most + 1 for most in limits.values()), *(3 * most + 1 for most in crowds.values())])


def _days(top: Table) -> dict[Kind, int]:
    table = top.inner(top.value("keep_days", {}), "keep_days")
    found: dict[Kind, int] = {kind: table.whole(kind, _KEEP_DAYS, 1, 3650) for kind in KINDS}
    table.close()
    return found


def _networks(top: Table) -> tuple[str, ...]:
    found = top.texts("shared", ())
    for text in found:
        try:
            ip_network(text)
        except ValueError:
            top.refuse(f"'{text[:60]}' is no network such as 203.0.113.0/24", "shared")
    return found


def _laid_over(common: Mapping[str, Any], own: object) -> dict[str, Any]:
    """The common table with a vertical's own keys over it, table by table."""
    if not isinstance(own, Mapping):
        return {"fraud": own}  # the reader says what is wrong with it
    found: dict[str, Any] = dict(common)
    for key, value in own.items():
        held = found.get(key)
        found[key] = _laid_over(held, value) if isinstance(held, Mapping) and isinstance(value, Mapping) else value
    return found
