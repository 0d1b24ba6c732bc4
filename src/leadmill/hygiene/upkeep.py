"""Reading how long what is known stays known from packs: the defaults of ``common/hygiene.toml``, and what a vertical
changes in the ``[hygiene]`` table of its ``pack.toml``.

Called by whoever assembles the rules in force. Nothing is ignored: an unknown kind or key is refused with its place.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from leadmill.core.reading import Table, nearest
from leadmill.hygiene.model import KINDS, Upkeep
from leadmill.runtime.packs import Packs

FILE = "hygiene.toml"
_CODE = "hygiene.upkeep.malformed"
_MOST_DAYS = 36_500


def read_upkeeps(packs: Packs) -> dict[str, Upkeep]:
    """The upkeep of each vertical. Raises ``BadInput`` ``hygiene.upkeep.malformed`` with the place of what is wrong."""
    common = packs.common.files.get(FILE, {})
    read_upkeep(common, "", f"common/{FILE}")
    return {
        name: read_upkeep(
            _laid_over(common, pack.files.get("pack.toml", {}).get("hygiene", {})), name, f"{name}/pack.toml, hygiene"
        )
        for name, pack in packs.verticals.items()
    }


def read_upkeep(raw: Mapping[str, Any], vertical: str, where: str) -> Upkeep:
    """One upkeep as decoded from TOML. See ``packs/common/hygiene.toml`` for all its keys."""
    top = Table(raw, where, _CODE)
    top.value("version", 1)
    facts = top.inner(top.value("facts", {}), "facts")
    pass_from, fail_to = top.whole("pass_from", 70, 51, 100), top.whole("fail_to", 20, 0, 49)
    found = Upkeep(
        vertical=vertical,
        prior=_prior(top),
        weights=_numbers(top, "weights", KINDS, 0, 1_000),
        half_lives=_numbers(top, "half_lives", KINDS, 1, _MOST_DAYS),
        pass_from=pass_from,
        fail_to=fail_to,
        weak_least=top.whole("weak_least", 3, 2, 100),
        weak_days=top.whole("weak_days", 14, 1, 365),
        weak_weight=_number(top, "weak_weight", 6.0, 0, 1_000),
        facts=_numbers(facts, "half_lives", None, 1, _MOST_DAYS),
        stale_below=facts.whole("stale_below", 95, 51, 100),
        dispositions=_dispositions(top),
        words=_words(top),
        keep_days=top.whole("keep_days", 1_095, 30, _MOST_DAYS),
        digest=hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:16],
    )
    for table in (facts, top):
        table.close()
    return found


def _prior(top: Table) -> tuple[float, float]:
    found = top.value("prior", [0.5, 0.5])
    plain = isinstance(found, list) and len(found) == 2 and all(_is_number(one) and 0 < one <= 100 for one in found)
    if not plain:
        top.refuse("must be two numbers above 0, up to 100", "prior")
    return float(found[0]), float(found[1])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(table: Table, key: str, default: float, least: float, most: float) -> float:
    found = table.value(key, default)
    if not _is_number(found) or not least <= found <= most:
        table.refuse(f"must be a number from {least} to {most}", key)
    return float(found)


def _numbers(top: Table, name: str, known: Iterable[str] | None, least: float, most: float) -> dict[str, float]:
    raw = top.value(name, {})
    table = top.inner(raw, name)
    found = {}
    for key in raw:
        if known is not None and key not in known:
            table.refuse(f"there is no such kind; {nearest(str(key), known)}", str(key))
        found[str(key)] = _number(table, str(key), 0.0, least, most)
    return found


def _dispositions(top: Table) -> dict[str, tuple[str, ...]]:
    raw = top.value("dispositions", {})
    table = top.inner(raw, "dispositions")
    found = {str(word): table.texts(str(word)) for word in raw}
    for word, kinds in found.items():
        for kind in kinds:
            _check_kind(table, word, kind)
    return found


def _words(top: Table) -> dict[str, str]:
    raw = top.value("words", {})
    table = top.inner(raw, "words")
    found = {str(word): table.text(str(word)) for word in raw}
    for word, kind in found.items():
        _check_kind(table, word, kind)
    return found


def _check_kind(table: Table, word: str, kind: str) -> None:
    if kind not in KINDS:
        table.refuse(f"there is no kind '{kind[:60]}'; {nearest(kind, KINDS)}", word)


def _laid_over(common: Mapping[str, Any], own: object) -> dict[str, Any]:
    """The common table with a vertical's own keys over it, table by table."""
    if not isinstance(own, Mapping):
        return {"hygiene": own}  # the reader says what is wrong with it
    found: dict[str, Any] = dict(common)
    for key, value in own.items():
        held = found.get(key)
        found[key] = _laid_over(held, value) if isinstance(held, Mapping) and isinstance(value, Mapping) else value
    return found
