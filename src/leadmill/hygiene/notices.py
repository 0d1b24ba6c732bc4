"""Reading what mail and telephony services tell: delivery reports (RFC 3464), complaints (RFC 5965), and lines of JSON.

Called by the command and the API. A report may come from anybody who can write to a mailbox: it is read as far as it is
well formed, and everything else about it is passed over. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

import msgspec
from msgspec import Struct

from leadmill.core.spans import moment

MOST_LINE = 64 * 1024
_MOST_PARTS = 50
_MOST_RECIPIENTS = 1_000
_LONGEST = 320
_OURS = re.compile(r"(msg_[0-9a-z]{10,40})@")
_FROM = re.compile(rb"(?:\A|\r?\n\r?\n)From [^\r\n]*\r?\n")


class Notice(Struct, frozen=True, kw_only=True):
    """One thing that a service told. ``word`` is the service's own for what happened, ``status`` the SMTP status it
    gives with it. The point is told by ``contact`` (an e-mail address or a phone number), by ``message_id`` (of a
    message of ours) or by ``lead_id`` or ``sale_id``. ``at`` is when it happened, None where that is not told; ``ref``
    is the service's own id of the event, by which it is known when it is told again."""

    word: str
    contact: str = ""
    message_id: str = ""
    lead_id: str = ""
    sale_id: str = ""
    at: datetime | None = None
    status: str = ""
    ref: str = ""


class Unread(Struct, frozen=True):
    """Something that could not be read: its place in the file and why, in words without any of its content."""

    place: int
    says: str


def read_file(raw: bytes) -> Iterator[Notice | Unread]:
    """Everything that a file tells: a mailbox (mbox), a single message, or JSON lines."""
    body = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] in (b"{", b"["):
        yield from read_lines(body)
        return
    starts = list(_FROM.finditer(body)) if body.startswith(b"From ") else []
    if not starts:
        yield from _numbered(1, read_message(body))
        return
    ends = [*(one.start() for one in starts[1:]), len(body)]
    for place, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        yield from _numbered(place, read_message(body[start.end() : end]))


def _numbered(place: int, notices: list[Notice]) -> Iterator[Notice | Unread]:
    if notices:
        yield from notices
    else:
        yield Unread(place, "is no report of a delivery or a complaint")


def read_lines(raw: bytes) -> Iterator[Notice | Unread]:
    """JSON lines, or one JSON list or object: an event each."""
    try:
        whole = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        whole = None
    if isinstance(whole, list | dict):
        items: Iterable[Any] = whole if isinstance(whole, list) else [whole]
        for place, item in enumerate(items, 1):
            yield _event(item, place)
        return
    for place, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = msgspec.json.decode(line) if len(line) <= MOST_LINE else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            item = None
        yield _event(item, place)


def _event(item: Any, place: int) -> Notice | Unread:
    found = read_event(item) if isinstance(item, Mapping) else None
    return found if found is not None else Unread(place, "is no event: an object with event and whom it is about")


_WORDS = ("event", "eventtype", "notificationtype", "recordtype", "kind", "type")
_FINER = ("bounce_type", "bouncetype", "type")
_BOUNCES = ("bounce", "bounced", "failed")
_CONTACTS = ("email", "phone", "recipient", "to", "number", "contact")
_MOMENTS = ("at", "timestamp", "time", "occurred_at", "bouncedat", "deliveredat")
_REFS = ("id", "event_id", "sg_event_id", "feedbackid")


def read_event(item: Mapping[str, Any]) -> Notice | None:
    """One event under the usual names of the trade, in whatever case; None where it says not what happened, or to whom.

    Where a bounce has a type of its own, that counts: a message that was blocked says nothing of the address.
    """
    told = {str(name).lower(): value for name, value in item.items()}
    word = _text(told, _WORDS)
    if word.lower() in _BOUNCES:
        word = _text(told, _FINER) or word
    message = _OURS.search(f"{_text(told, ('message_id', 'smtp-id', 'messageid'))}@")
    notice = Notice(
        word=word,
        contact=_text(told, _CONTACTS),
        message_id=message[1] if message else "",
        lead_id=_text(told, ("lead_id",)),
        sale_id=_text(told, ("sale_id",)),
        at=_moment(told),
        status=_text(told, ("status", "smtp_status", "code")),
        ref=_text(told, _REFS),
    )
    about = notice.contact or notice.message_id or notice.lead_id or notice.sale_id
    return notice if word and about else None


def _text(told: Mapping[str, Any], names: Iterable[str]) -> str:
    for name in names:
        value = told.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and name in _REFS:
            return str(value)[:_LONGEST]
        if isinstance(value, str) and value.strip():
            return value.strip()[:_LONGEST]
    return ""


def _moment(told: Mapping[str, Any]) -> datetime | None:
    for name in _MOMENTS:
        value = told.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11:
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and value.strip():
            return moment(value.strip())
    return None


def read_message(raw: bytes) -> list[Notice]:
    """What a message of a mail server or a mailbox provider tells; nothing where it is neither a delivery report nor a
    complaint."""
    try:
        message = message_from_bytes(raw, policy=policy.compat32)
    except (ValueError, LookupError, RecursionError):
        return []
    parts = [part for number, part in enumerate(message.walk()) if number < _MOST_PARTS]
    at = _date(message)
    ours = _ours(parts)
    found: list[Notice] = []
    for part in parts:
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            found += _delivery(part, at, ours)
        elif kind == "message/feedback-report":
            found += _complaint(part, at, ours)
    return found[:_MOST_RECIPIENTS]


def _delivery(part: Message, at: datetime | None, ours: str) -> Iterator[Notice]:
    blocks = part.get_payload()
    if not isinstance(blocks, list):
        return
    for block in blocks:
        if not isinstance(block, Message):
            continue
        action = str(block.get("Action", "")).strip().lower()
        # What was first written to counts: the last address may be one that the person's mail is sent on to.
        contact = _address(block.get("Original-Recipient")) or _address(block.get("Final-Recipient"))
        word = _ACTIONS.get(action)
        if word is None or not (contact or ours):
            continue
        status = str(block.get("Status", "")).split("(")[0].strip()
        yield Notice(word=word, contact=contact, message_id=ours, at=at, status=status)


_ACTIONS = {"failed": "bounced", "delayed": "deferred", "delivered": "delivered"}
"""What the actions of RFC 3464 2.3.3 say; ``relayed`` and ``expanded`` say nothing of the mailbox."""


def _complaint(part: Message, at: datetime | None, ours: str) -> Iterator[Notice]:
    payload = part.get_payload()
    block = payload[0] if isinstance(payload, list) and payload else None
    if not isinstance(block, Message) or str(block.get("Feedback-Type", "")).strip().lower() not in ("abuse", "fraud"):
        return
    contact = parseaddr(str(block.get("Original-Rcpt-To", "")))[1]
    if contact or ours:
        yield Notice(word="complained", contact=contact, message_id=ours, at=at)


def _address(value: object) -> str:
    """The address of a field such as ``rfc822; ann@example.com``."""
    kind, _, address = str(value or "").partition(";")
    return parseaddr(address.strip())[1] if kind.strip().lower() in ("rfc822", "utf-8") else ""


def _ours(parts: Iterable[Message]) -> str:
    """The id of the message of ours that the report is about: it stands in the headers it brings back."""
    for part in parts:
        headers = [part.get("Message-ID", "")]
        if part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload()
            headers.append(payload if isinstance(payload, str) else "")
        for text in headers:
            found = _OURS.search(str(text))
            if found:
                return found[1]
    return ""


def _date(message: Message) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(message.get("Date", "")))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
