"""What is declared of the language another system speaks: how it is written to and how its answers read.

Decoded by ``reading`` from a table of the configuration or of a profile; used by ``writing`` and ``replies``. Says
nothing of what is written: deliveries and pings each bring their own values.
"""

from typing import Any, Literal

from msgspec import Struct

from leadmill.core.conversation import Sign

Format = Literal["json", "form", "xml", "csv"]
Method = Literal["POST", "PUT", "GET"]
Style = Literal["plain", "text", "upper", "lower", "digits", "national", "whole", "yes_no"]


class Picked(Struct, frozen=True):
    """Where a value of the other side's message comes from: ``source`` names a value of ours (``first_name``,
    ``consent.text``, ``sale.price`` …), ``values`` translates it, ``style`` shapes it, ``default`` stands in where
    there is none, ``then`` where there is one."""

    source: str
    values: dict[str, Any] = {}
    style: Style = "plain"
    default: str | int | float | bool | None = None
    then: str | int | float | bool | None = None


class Secret(Struct, frozen=True):
    """The name of the environment variable that holds a secret."""

    env: str


class ReplyRule(Struct, frozen=True):
    """One way to recognise an answer. Exactly one of ``path`` (dotted, into JSON or a form), ``xpath``, ``regex``
    (over the text) or ``status`` (HTTP) is set; ``equals`` lists what the found value must be, compared as
    lower-case text; empty means that it exists."""

    path: str = ""
    xpath: str = ""
    regex: str = ""
    status: tuple[int, ...] = ()
    equals: tuple[str, ...] = ()


class ReplySpec(Struct, frozen=True):
    """How the other side's answers read. Without ``accept`` and ``reject`` the usual words of the trade are understood;
    ``duplicate`` is a refusal because the other side has the person already. ``reason``, ``price`` and
    ``buyer_lead_id`` are paths: dotted, or XPath where they start with a slash."""

    accept: tuple[ReplyRule, ...] = ()
    reject: tuple[ReplyRule, ...] = ()
    duplicate: tuple[ReplyRule, ...] = ()
    retry: tuple[ReplyRule, ...] = ()
    reason: str = ""
    price: str = ""
    buyer_lead_id: str = ""


class Dialect(Struct, frozen=True, kw_only=True):
    """How one other system is spoken to over HTTP.

    ``fields`` maps its names (dotted for nesting) to ours; empty means everything under our own names. ``timeout_ms``
    bounds one request.
    """

    url: str = ""
    method: Method = "POST"
    format: Format = "json"
    fields: dict[str, Picked] = {}
    constants: dict[str, str | int | float | bool | Secret] = {}
    root: str = "lead"
    headers: dict[str, str | Secret] = {}
    secret: str | None = None
    sign: Sign = "none"
    sign_name: str = ""
    reply: ReplySpec = ReplySpec()
    timeout_ms: int = 10_000
    options: dict[str, Any] = {}
