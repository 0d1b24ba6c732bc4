"""The buyers that a sender keeps its lead from, taken out of the form its system gives them.

Called by :mod:`leadmill.capture.translating` for dialects that say where such directives stand. They leave the body:
the name of a company must not be read as the person's.
"""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from leadmill.capture.dialects import Exclusion
from leadmill.capture.readers import fold

EXCLUDED = "context.exclude_buyers"
"""Where the names go: the step ``overlap`` looks there."""


def take_exclusions(
    wanted: Iterable[Exclusion], body: Mapping[str, Any], groups: Set[str]
) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The body without its directives, and what they come to: the excluded buyers under :data:`EXCLUDED`, as a list in
    their order, and directives that exclude nobody in ``extra``, as they came. ``groups`` are the folded names of
    what may stand around the directives."""
    names: list[str] = []
    found: dict[str, Any] = {}
    for one in wanted:
        met: list[Any] = []
        path = one.at.split(".")
        body = _without(body, [fold(part) for part in path], groups, met)
        others = [item for item in met if not _excludes(one, item)]
        names += [name for item in met if _excludes(one, item) for name in _names(one, item)]
        if others:
            found[f"extra.{one.at}"] = others
    if names:
        found[EXCLUDED] = list(dict.fromkeys(names))
    return body, found


def _without(node: Mapping[str, Any], path: list[str], groups: Set[str], met: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in node.items():
        key = fold(name)
        if key == path[0] and len(path) == 1:
            met += value if isinstance(value, list) else [value]
            continue
        if isinstance(value, Mapping) and (key == path[0] or key in groups):
            value = _without(value, path[1:] if key == path[0] else path, groups, met)
        found[name] = value
    return found


def _excludes(one: Exclusion, item: Any) -> bool:
    if not one.by or not isinstance(item, Mapping):
        return not one.by
    return any(fold(name) == fold(one.by) and str(value).strip().lower() in one.values for name, value in item.items())


def _names(one: Exclusion, item: Any) -> list[str]:
    """The names in a directive: itself where it is a text, else what stands under the names that hold one."""
    held: list[Any] = [item]
    if isinstance(item, Mapping):
        wanted = [fold(name) for name in one.names]
        held = [value for name, value in item.items() if fold(name) in wanted]
    texts = [text for value in held for text in (value if isinstance(value, list) else [value])]
    return [text.strip() for text in texts if isinstance(text, str) and text.strip()]
