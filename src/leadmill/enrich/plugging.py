"""What plug-ins need to read a service's answer: its status, its JSON, and the values at a path.

Offered at the door, so that every provider tells the same faults in the same words.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from leadmill.core.conversation import HttpReply
from leadmill.core.faults import Permanent
from leadmill.facts import FactValue

_LONGEST = 500
"""Characters of a text that becomes a fact."""
_MOST = 50
"""Items of a list that becomes a fact."""


def is_answer(reply: HttpReply) -> bool:
    """Whether there is something to read: not where the service says (204, 404) that it knows nothing.

    Raises Permanent ``enrich.provider.refused`` for every other status that is no success: a wrong key, no credit left,
    a question that it does not take.
    """
    if reply.status in (204, 404):
        return False
    if reply.status // 100 != 2:
        raise Permanent("enrich.provider.refused", f"the provider answered {reply.status}")
    return True


def tree_of(reply: HttpReply) -> Any:
    """The JSON of an answer. Raises Permanent ``enrich.answer.malformed`` where it is none."""
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, RecursionError):
        raise malformed("the answer is no JSON") from None


def malformed(says: str) -> Permanent:
    """The fault of an answer that cannot be understood; ``says`` must not repeat it."""
    return Permanent("enrich.answer.malformed", says)


def at(tree: Any, path: str) -> Any:
    """The value at a dotted path, list items by their number; None where there is none."""
    for part in path.split("."):
        if isinstance(tree, Mapping):
            tree = tree.get(part)
        elif isinstance(tree, list) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            return None
    return tree


def word(value: Any) -> str:
    """A scalar as words are compared: lower case, no blanks around; nothing for what is no scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip().lower() if isinstance(value, str | int | float) else ""


def fact_value(value: Any) -> FactValue:
    """A value as a fact may say it; None where it is none, empty, or a table."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value.strip()[:_LONGEST] or None
    if isinstance(value, list):
        return list(_texts(value))[:_MOST] or None
    return None


def _texts(items: list[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, str | int | float) and not isinstance(item, bool) and str(item).strip():
            yield str(item).strip()[:_LONGEST]
