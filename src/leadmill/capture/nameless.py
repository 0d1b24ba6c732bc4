"""A ping of another system without what leads to the person.

Called by ``interfaces.api.dialects``. Senders of other systems put into a ping whatever their programs always put
there; where our own ping would refuse it, theirs goes on without it, and nothing of it is kept.
"""

from collections.abc import Mapping
from typing import Any

from leadmill.capture.mapping import Lexicon
from leadmill.capture.pings import barred_in
from leadmill.capture.readers import fold


def without_person(body: Mapping[str, Any], lexicon: Lexicon, vertical: str) -> dict[str, Any]:
    """The body of a ping in a vertical without the fields that :func:`leadmill.capture.check_ping` would refuse."""
    barred = barred_in(lexicon)
    tables = lexicon.names(vertical).tables
    found: dict[str, Any] = {}
    for key, value in body.items():
        head, dot, tail = key.partition(".")
        section, name = (head, tail) if dot and head in tables and tail else ("", key)
        if isinstance(value, Mapping):
            found[key] = without_person(value, lexicon, vertical)
        elif barred(name, value, tables[section].get(name) or tables[section].get(fold(name))) is None:
            found[key] = value
    return found
