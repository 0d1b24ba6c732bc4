"""Reads what a buyer answered: accepted, refused, or try again.

Called by couriers through the door. The spec's own rules come first; without them the usual words of the trade are
understood, in JSON, XML, forms and plain text. A refusal is often HTTP 200. What a buyer writes may repeat the
person's data, so a reason is scrubbed before it leaves this module. Parsing is bounded: entities are refused, depth
and number of values are limited.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element

import msgspec
from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException
from msgspec import Struct

from leadmill.core.faults import Fault, Transient
from leadmill.core.reasons import because
from leadmill.delivery.model import (
    BUYER_DUPLICATE,
    BUYER_REJECTED,
    ENDPOINT_WRONG,
    SENDING_FAULT,
    DeliverySpec,
    Outcome,
    Parcel,
    ReplyRule,
)
from leadmill.delivery.words import ACCEPT, DUPLICATE, FLAGS, KEYS, REJECT, TEXT_ACCEPT, TEXT_DUPLICATE, TEXT_REJECT

_UNREADABLE = "delivery.reply.unreadable"
_MOST_VALUES = 2_000
_DEEPEST = 32
_EXCERPT = 2_000
_WRONG_ADDRESS = frozenset((401, 403, 404, 405, 407, 410, 411, 415, 421, 426, 431))
"""Statuses that speak of the address or the credentials, not of the lead."""

_REASON_KEYS = (
    "reason", "rejectreason", "message", "error", "errors", "errormessage", "errordescription", "msg", "detail",
    "responsedetail", "info", "description",
)  # fmt: skip
_ID_KEYS = ("buyerleadid", "leadid", "leadidentifier", "id", "reference", "ref", "transactionid", "postid")
_PRICE_KEYS = ("price", "payout", "bid", "cost")

Verdict = Literal["accepted", "rejected", "duplicate"]
Told = Literal["empty", "json", "xml", "form", "text", "html", "broken"]


class Answer(Struct, frozen=True):
    """An answer taken apart: ``values`` are its scalars as (depth, path, value)."""

    status: int
    told: Told
    text: str = ""
    tree: Any = None
    root: Any = None
    values: tuple[tuple[int, str, Any], ...] = ()


def read_answer(
    spec: DeliverySpec, parcel: Parcel, status: int, media_type: str, body: bytes, elapsed_ms: int = 0
) -> Outcome:
    """What an HTTP answer (2xx to 4xx) means for the delivery."""
    answer = take_apart(status, media_type, body)
    base = Outcome("retry", "", status=status, elapsed_ms=elapsed_ms, excerpt=answer.text[:_EXCERPT])
    rules = spec.reply
    if any(_holds(rule, answer) for rule in rules.retry):
        return _so(base, "retry", "delivery.reply.retry")
    if any(_holds(rule, answer) for rule in rules.reject):
        verdict: Verdict | None = "duplicate" if _verdict(answer) == "duplicate" else "rejected"
    elif any(_holds(rule, answer) for rule in rules.accept):
        verdict = "accepted"
    elif status // 100 == 3 or status in _WRONG_ADDRESS:
        return _so(base, "dead", "delivery.endpoint.wrong", because=because(ENDPOINT_WRONG, status=status))
    elif answer.told == "broken":
        return _so(base, "retry", _UNREADABLE)
    elif rules.accept:
        verdict = "duplicate" if _verdict(answer) == "duplicate" else "rejected"
    else:
        verdict = _verdict(answer) if not rules.reject else None
        if status >= 400:
            verdict = "duplicate" if verdict == "duplicate" or status == 409 else "rejected"
        elif verdict is None and answer.told == "html":
            return _so(base, "retry", _UNREADABLE)  # a page, not an answer: signed out, or the wrong address
    if verdict in (None, "accepted"):
        return _so(
            base,
            "accepted",
            "delivery.buyer.accepted",
            buyer_ref=_reference(rules.buyer_lead_id, answer, parcel),
            price=_price(_named(rules.price, answer, _PRICE_KEYS)),
        )
    reason = BUYER_DUPLICATE if verdict == "duplicate" else BUYER_REJECTED
    said = _named(rules.reason, answer, _REASON_KEYS) or (answer.text if answer.told == "text" else "")
    why = because(reason, said=scrub(str(said), parcel) or f"HTTP {status}", status=status)
    return _so(base, "rejected", reason.code, because=why)


def read_fault(fault: Fault) -> Outcome:
    """What it means that the ask could not be performed at all."""
    if isinstance(fault, Transient):
        return Outcome("retry", fault.code, after=fault.after)
    return Outcome("dead", fault.code, because=because(SENDING_FAULT, code=fault.code))


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


def scrub(said: str, parcel: Parcel) -> str:
    """A buyer's words without the person's values, e-mail addresses and long numbers; one line, at most 120
    characters."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:1_000]
    line = re.sub(r"\S+@\S+", "…", line)
    for value in (*parcel.fields.values(), *parcel.context.values()):
        if isinstance(value, str) and len(value.strip()) >= 2:
            line = re.sub(rf"(?<!\w){re.escape(value.strip())}(?!\w)", "…", line, flags=re.IGNORECASE)
    line = re.sub(r"[+(]?\d(?:[\s().-]{0,2}\d){4,}", "…", line)
    return line[:120].strip(" .")


def _so(base: Outcome, kind: Literal["accepted", "rejected", "retry", "dead"], code: str, **more: Any) -> Outcome:
    return msgspec.structs.replace(base, kind=kind, code=code, **more)


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


def _key(path: str) -> str:
    return "".join(sign for sign in path.rpartition(".")[2].lower() if sign.isalnum())


def _verdict(answer: Answer) -> Verdict | None:
    """The usual words of the trade. The level nearest to the top that says anything decides; there a refusal
    outweighs an acceptance, because a status of ``ok`` often only means that the request was understood."""
    if answer.told in ("text", "html"):
        line = answer.text[:5_000].lower()
        if TEXT_DUPLICATE.search(line):
            return "duplicate"
        return "rejected" if TEXT_REJECT.search(line) else "accepted" if TEXT_ACCEPT.search(line) else None
    by_depth: dict[int, set[Verdict]] = {}
    for depth, path, value in answer.values:
        verdict = _said(_parent(path) or _key(path), value)
        if verdict is not None:
            by_depth.setdefault(depth, set()).add(verdict)
    if not by_depth:
        return None
    said = by_depth[min(by_depth)]
    return "duplicate" if "duplicate" in said else "rejected" if "rejected" in said else "accepted"


def _said(key: str, value: Any) -> Verdict | None:
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


def _named(path: str, answer: Answer, usual: tuple[str, ...]) -> Any:
    """The value at the spec's path, or under the first of the usual keys, the nearest to the top first."""
    if path:
        return _at(path, answer)
    for key in usual:
        for depth, name, value in answer.values:
            if depth <= 3 and value not in (None, "", True, False) and key in (_key(name), _parent(name)):
                return value
    return None


def _parent(path: str) -> str:
    """The key of a list that the value is an item of: ``errors.0`` counts as ``errors``."""
    head, _, last = path.rpartition(".")
    return _key(head) if last.isdigit() else ""


def _reference(path: str, answer: Answer, parcel: Parcel) -> str | None:
    """The buyer's own id of the lead, unless it is a value of the person's."""
    found = _named(path, answer, _ID_KEYS)
    ref = "".join(sign for sign in str(found) if sign.isprintable())[:100].strip() if found is not None else ""
    held = {str(value).lower() for value in parcel.fields.values() if value}
    return ref if ref and "@" not in ref and ref.lower() not in held else None


def _price(value: Any) -> str | None:
    """An amount as a decimal string, None where it is none."""
    try:
        amount = Decimal(str(value).strip().lstrip("$").replace(",", ""))
    except InvalidOperation:
        return None
    return format(amount, "f") if amount.is_finite() and 0 <= amount < 10**9 else None
