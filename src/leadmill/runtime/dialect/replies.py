"""Reads what another system answered: yes, no, or try again.

Called by whoever reads the answer to a delivery or a ping. The dialect's own rules come first; without them the usual
words of the trade are understood, in JSON, XML, forms and plain text. A refusal is often HTTP 200. Parsing is bounded:
entities are refused, depth and number of values are limited. What an answer says may repeat a person's data: nothing
of it is told to anybody here.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element

import msgspec
from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException
from msgspec import Struct

from leadmill.runtime.dialect.model import ReplyRule, ReplySpec
from leadmill.runtime.dialect.words import (
    ACCEPT,
    DUPLICATE,
    FLAGS,
    KEYS,
    REJECT,
    TEXT_ACCEPT,
    TEXT_DUPLICATE,
    TEXT_REJECT,
)

_MOST_VALUES = 2_000
_DEEPEST = 32
_WRONG_ADDRESS = frozenset((401, 403, 404, 405, 407, 410, 411, 415, 421, 426, 431))
"""Statuses that speak of the address or the credentials, not of the lead."""

PRICE_KEYS = ("price", "payout", "bid", "cost")
"""The usual keys of a price."""

Word = Literal["accepted", "rejected", "duplicate"]
Said = Literal["accepted", "rejected", "duplicate", "retry", "wrong_address", "unreadable"]
"""What an answer comes to: besides yes, no and "we have this one", that it should be tried again, that the address or
the credentials are wrong, or that nobody can read it."""
Told = Literal["empty", "json", "xml", "form", "text", "html", "broken"]


class Answer(Struct, frozen=True):
    """An answer taken apart: ``values`` are its scalars as (depth, path, value)."""

    status: int
    told: Told
    text: str = ""
    tree: Any = None
    root: Any = None
    values: tuple[tuple[int, str, Any], ...] = ()


def said(rules: ReplySpec, answer: Answer) -> Said | None:
    """What the answer says by these rules and the usual words; None where a good status came with nothing that says
    yes or no."""
    status = answer.status
    if any(_holds(rule, answer) for rule in rules.retry):
        return "retry"
    if any(_holds(rule, answer) for rule in rules.duplicate):
        return "duplicate"
    if any(_holds(rule, answer) for rule in rules.reject):
        return "duplicate" if _verdict(answer) == "duplicate" else "rejected"
    if any(_holds(rule, answer) for rule in rules.accept):
        return "accepted"
    if status // 100 == 3 or status in _WRONG_ADDRESS:
        return "wrong_address"
    if answer.told == "broken":
        return "unreadable"
    if rules.accept:
        return "duplicate" if _verdict(answer) == "duplicate" else "rejected"
    verdict = _verdict(answer) if not rules.reject else None
    if status >= 400:
        return "duplicate" if verdict == "duplicate" or status == 409 else "rejected"
    if verdict is None and answer.told == "html":
        return "unreadable"  # a page, not an answer: signed out, or the wrong address
    return verdict


def take_apart(status: int, media_type: str, body: bytes) -> Answer:
    """The answer by what it is, which is often not what its media type says; ``broken`` where it begins as JSON or
    XML and does not hold."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if not text:
        return Answer(status, "empty")
    media = media_type.partition(";")[0].strip().lower()
    head = text[:200].lower()
    if head.startswith(("<!doctype html", "<html")) or (media == "text/html" and text.startswith("<")):
        return Answer(status, "html", re.sub(r"<[^>]*>", " ", text))
    if text[0] in "{[" or (media.endswith("json") and text[0] in '"tfn0123456789-'):
        try:
            tree = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return Answer(status, "broken", text)
        return Answer(status, "json", text, tree, values=tuple(_scalars(tree)))
    if text[0] == "<":
        try:
            root = SafeET.fromstring(body.strip())
        except (SafeET.ParseError, DefusedXmlException, ValueError, LookupError):
            return Answer(status, "broken", text)
        return Answer(status, "xml", text, root=root, values=tuple(_leaves(root)))
    if media == "application/x-www-form-urlencoded" or re.fullmatch(r"[\w.-]+=[^\s&]*(?:&[\w.-]+=[^\s&]*)+", text):
        pairs = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=None)[:_MOST_VALUES])
        return Answer(status, "form", text, pairs, values=tuple((0, name, value) for name, value in pairs.items()))
    return Answer(status, "text", text)


def _scalars(tree: Any) -> Iterator[tuple[int, str, Any]]:
    """The scalars of decoded JSON, nearest first, at most so many and so deep."""
    todo: list[tuple[int, str, Any]] = [(0, "", tree)]
    given = 0
    while todo and given < _MOST_VALUES:
        depth, path, value = todo.pop(0)
        if isinstance(value, Mapping | list):
            items = value.items() if isinstance(value, Mapping) else enumerate(value[:_MOST_VALUES])
            if depth < _DEEPEST and len(todo) < _MOST_VALUES:
                todo += [(depth + 1, f"{path}.{name}" if path else str(name), inner) for name, inner in items]
        elif path:
            given += 1
            yield depth, path, value


def _leaves(root: Element) -> Iterator[tuple[int, str, Any]]:
    """Texts and attributes of XML in the manner of :func:`_scalars`; the root's own name is no part of a path."""
    todo: list[tuple[int, str, Element]] = [(1, "", root)]
    given = 0
    while todo and given < _MOST_VALUES:
        depth, path, place = todo.pop(0)
        for name, value in place.attrib.items():
            given += 1
            yield depth, f"{path}.{name}" if path else name, value
        children = list(place)
        if not children:
            given += 1
            yield depth, path or _bare(place.tag), (place.text or "").strip()
        elif depth < _DEEPEST and len(todo) < _MOST_VALUES:
            todo += [(depth + 1, f"{path}.{_bare(c.tag)}" if path else _bare(c.tag), c) for c in children]


def _bare(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _holds(rule: ReplyRule, answer: Answer) -> bool:
    if rule.status:
        return answer.status in rule.status
    if rule.regex:
        return re.search(rule.regex, answer.text) is not None
    found = _at(rule.path or rule.xpath, answer)
    if found is None:
        return False
    return not rule.equals or _word(found) in rule.equals


def _at(path: str, answer: Answer) -> Any:
    """The value at a path: XPath where it begins with a slash, otherwise dotted; None where there is none."""
    if path.startswith("/"):
        return _at_xpath(path, answer.root) if answer.root is not None else None
    wanted = path.lower()
    for _, name, value in answer.values:
        if name.lower() == wanted and value is not None:
            return value
    return None


def _at_xpath(path: str, root: Element) -> str | None:
    path, _, attribute = path.partition("/@")
    if path.startswith("//"):
        found = [root] if _bare(root.tag) == path[2:] else root.findall(f".{path}")
    else:
        first, _, rest = path[1:].partition("/")
        if first not in ("*", _bare(root.tag), root.tag):
            return None
        found = root.findall(rest) if rest else [root]
    for place in found:
        value = place.get(attribute) if attribute else (place.text or "").strip()
        if value is not None:
            return value
    return None


def _word(value: Any) -> str:
    return str(value).strip().lower() if not isinstance(value, bool) else "true" if value else "false"


@lru_cache(2_000)
def _key(path: str) -> str:
    return "".join(sign for sign in path.rpartition(".")[2].lower() if sign.isalnum())


def _verdict(answer: Answer) -> Word | None:
    """The usual words of the trade. The level nearest to the top that says anything decides; there a refusal
    outweighs an acceptance, because a status of ``ok`` often only means that the request was understood."""
    if answer.told in ("text", "html"):
        line = answer.text[:5_000].lower()
        if TEXT_DUPLICATE.search(line):
            return "duplicate"
        return "rejected" if TEXT_REJECT.search(line) else "accepted" if TEXT_ACCEPT.search(line) else None
    by_depth: dict[int, set[Word]] = {}
    for depth, path, value in answer.values:
        verdict = _said(_parent(path) or _key(path), value)
        if verdict is not None:
            by_depth.setdefault(depth, set()).add(verdict)
    if not by_depth:
        return None
    nearest = by_depth[min(by_depth)]
    return "duplicate" if "duplicate" in nearest else "rejected" if "rejected" in nearest else "accepted"


def _said(key: str, value: Any) -> Word | None:
    """What one value under one key says, None where it says nothing."""
    word = " ".join(_word(value).replace("_", " ").replace("-", " ").split()) if value is not None else ""
    if key in FLAGS:
        if word in ("true", "1", "yes", "y"):
            return FLAGS[key]
        if word in ("false", "0", "no", "n"):
            return "rejected" if FLAGS[key] == "accepted" else None
    if key in KEYS:
        if word in DUPLICATE:
            return "duplicate"
        if word in REJECT:
            return "rejected"
        if word in ACCEPT:
            return "accepted"
        if TEXT_DUPLICATE.search(word):
            return "duplicate"
    if key in ("error", "errors", "errormessage", "rejectreason") and word not in (
        "",
        "0",
        "false",
        "none",
        "null",
        "no",
    ):
        return "duplicate" if TEXT_DUPLICATE.search(word) else "rejected"
    return None


def named(path: str, answer: Answer, usual: tuple[str, ...]) -> Any:
    """The value at the spec's path, or under the first of the usual keys, the nearest to the top first."""
    if path:
        return _at(path, answer)
    for key in usual:
        for depth, name, value in answer.values:
            if depth <= 3 and value not in (None, "", True, False) and key in (_key(name), _parent(name)):
                return value
    return None


@lru_cache(2_000)
def _parent(path: str) -> str:
    """The key of a list that the value is an item of: ``errors.0`` counts as ``errors``."""
    head, _, last = path.rpartition(".")
    return _key(head) if last.isdigit() else ""


def price_of(value: Any) -> str | None:
    """An amount as a decimal string, None where it is none."""
    try:
        amount = Decimal(str(value).strip().lstrip("$").replace(",", ""))
    except InvalidOperation:
        return None
    return format(amount, "f") if amount.is_finite() and 0 <= amount < 10**9 else None
