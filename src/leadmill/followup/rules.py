"""Pure rules of follow-up: reading the templates, filling them, and when to try again.

Called by the step and the verbs. What a stranger typed into a form goes into a message to an address that the same
stranger typed: names are therefore held to what names look like, and HTML is made from the finished text alone.
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from leadmill.core.ids import encode
from leadmill.core.reading import Table, nearest
from leadmill.followup.model import Kind, Template

RETRIES = (60, 300, 1_800, 7_200, 14_400)
"""Seconds between attempts: a message that is a day late helps nobody."""

KINDS: tuple[Kind, ...] = ("ack", "alert", "notice")
_PLACES = ("first_name", "vertical", "lead_id", "recipient", "details", "link")
_PLACE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '’.-]){0,39}")


def read_messages(raw: Mapping[str, Any], where: str) -> dict[Kind, Template | None]:
    """The messages of one ``messages.toml``; None for one that is silenced. Raises :class:`BadInput`
    ``config.message.malformed``."""
    table = Table(raw, where, "config.message.malformed")
    found: dict[Kind, Template | None] = {}
    for kind in KINDS:
        if not table.has(kind):
            continue
        inner = Table(table.value(kind), f"{where}, {kind}", "config.message.malformed")
        if not inner.flag("enabled", True):
            inner.value("subject", None)
            inner.value("text", None)
            found[kind] = None
        else:
            found[kind] = Template(inner.text("subject"), inner.text("text").strip("\n") + "\n")
            for key in ("subject", "text"):
                for place in _PLACE.findall(inner.text(key)):
                    if place not in _PLACES:
                        inner.refuse(f"knows no place {{{place}}}; {nearest(place, _PLACES)}", key)
            if "details" in _PLACE.findall(inner.text("text") + inner.text("subject")) and kind != "alert":
                inner.refuse("only the alert to our own people may hold {details}", "text")
            if "link" in _PLACE.findall(inner.text("text") + inner.text("subject")) and kind != "ack":
                inner.refuse("only the word to the person may hold {link}: it says who comes by it", "text")
        inner.close()
    for kind in KINDS:
        table.value(kind, None)
    table.close()
    return found


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its places filled; a place without a value stays empty."""
    return _PLACE.sub(lambda found: values.get(found.group(1), ""), text)


def line(text: str) -> str:
    """The text as one line of at most 200 characters without control characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:200]


def given_name(value: object) -> str:
    """A first name fit to be addressed by; ``there`` where it is none, a link or an advertisement for example."""
    name = line(str(value)) if value is not None else ""
    return name if _NAME.fullmatch(name) else "there"


def as_html(text: str) -> str:
    """Plain text as simple HTML: escaped, blank lines as paragraphs."""
    paragraphs = [part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    return "\n".join("<p>" + html.escape(part.strip()).replace("\n", "<br>\n") + "</p>" for part in paragraphs)


def details(fields: Mapping[str, Any]) -> str:
    """A lead's fields, a line each, for somebody who is to call."""
    lines = []
    for name, value in fields.items():
        if value is None or value == "" or value == []:
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        lines.append(f"{name.replace('_', ' ').capitalize()}: {line(shown)}")
    return "\n".join(lines)


def message_id(lead_id: str, digest: int) -> str:
    """The id of a message: the lead's moment, then 80 bits of the digest over what the message is. The same lead,
    kind and addressee always give the same id, which is why nobody is told twice."""
    tail = lead_id.partition("_")[2]
    return f"msg_{tail[:10].rjust(10, '0')}{encode(digest)[10:]}"


def next_wait(tried: int, jitter: float, after: float | None = None) -> float | None:
    """Seconds until the next attempt, None where the schedule is spent; ``jitter`` from 0 to 1 spreads it by a
    fifth."""
    if tried > len(RETRIES):
        return None
    wait = RETRIES[tried - 1] * (0.8 + 0.4 * jitter)
    return max(wait, min(after, 14_400.0)) if after is not None else wait
