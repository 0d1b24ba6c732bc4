"""Answers that come later: a sender that waits for no answer names an address to which the outcome is sent.

The step ``AnswerLater`` runs last on a lead's walk and sees the address in ``context.response_url``, whatever the
sender's system calls it; :func:`later_answer` writes what is sent, in the words of the sender's dialect or, for
everybody else, in ours. ``flow`` sends it. Pure.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from leadmill.capture.answering import Said, filled, xml_of
from leadmill.capture.dialects import Dialect, spoken
from leadmill.capture.model import Lead
from leadmill.core.case import Ask, Case, Evidence, Heard
from leadmill.core.verdicts import ASIDE, Pass, Verdict

RESPONSE_URL = "response_url"
"""The name of the address among a lead's context."""

_MEDIA = {
    "json": "application/json",
    "xml": "application/xml; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
}


class AnswerOwed(Evidence, frozen=True):
    """The sender is to be told the outcome at an address of its own. Of that only the ``host`` is kept here; the rest
    may hold a secret."""

    personal: ClassVar[bool] = False
    host: str

    def tell(self) -> Iterable[str]:
        """One sentence."""
        yield f"The source will be told the outcome at {self.host}."


class AnswerLater:
    """Sees whether the sender wants to be told later. Decides nothing."""

    name = "answer"

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: the lead says it."""
        return ()

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass, having learned that an answer is owed where the lead names an address; else nothing to say."""
        lead = case.get(Lead)
        host = urlsplit(address).hostname if lead is not None and (address := address_of(lead)) else None
        return Pass((AnswerOwed(host),)) if host else ASIDE


def address_of(lead: Lead) -> str | None:
    """Where the sender wants to be told; None where it does not, or what it gave is no web address."""
    given = lead.context.get(RESPONSE_URL)
    if not isinstance(given, str):
        return None
    try:
        parts = urlsplit(given.strip())
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return given.strip() if whole else None


class Letter(Struct, frozen=True):
    """A later answer, written: by which verb, to which address, of which media type."""

    verb: Literal["GET", "POST"]
    url: str
    media_type: str
    body: bytes


def later_answer(dialect: Dialect | None, url: str, said: Said) -> Letter:
    """The outcome as it is sent to ``url``: in the words that the dialect has for it, else as ``POST /v1/leads``
    answers."""
    later = dialect.later if dialect is not None else None
    if dialect is None or later is None:
        return Letter("POST", url, _MEDIA["json"], msgspec.json.encode(_own(said)))
    content = filled(later.templates[spoken(later.templates, said.outcome)], dialect, said)
    if later.verb == "GET":
        parts = urlsplit(url)
        query = "&".join(part for part in (parts.query, urlencode(_plain(content))) if part)
        return Letter("GET", parts._replace(query=query).geturl(), "", b"")
    if later.form == "json":
        return Letter("POST", url, _MEDIA["json"], msgspec.json.encode(content))
    if later.form == "xml":
        return Letter("POST", url, _MEDIA["xml"], xml_of(later.root, content))
    return Letter("POST", url, _MEDIA["form"], urlencode(_plain(content)).encode())


_STATUS = {"sold": "sold", "unsold": "accepted", "test": "test", "duplicate": "duplicate"}


def _own(said: Said) -> dict[str, Any]:
    told: dict[str, Any] = {"lead_id": said.lead_id, "status": _STATUS.get(said.outcome, "rejected")}
    if said.price is not None:
        told |= {"price": said.price, "currency": said.currency}
    if said.ping_id is not None:
        told["ping_id"] = said.ping_id
    told["reasons"] = [{"code": said.code, "message": said.reason}] if said.code is not None else []
    return told


def _plain(content: dict[str, Any]) -> list[tuple[str, str]]:
    """The values of one level as a form has them."""
    return [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in content.items()
        if not isinstance(value, dict | list)
    ]
