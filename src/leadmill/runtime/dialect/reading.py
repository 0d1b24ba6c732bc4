"""Reads how another system is spoken to from a table a person wrote.

Called by the readers of deliveries and of pings, which bring the keys of their own. Strict: what cannot work is
refused with the place and the remedy; secrets are names of environment variables, never values.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from leadmill.core.conversation import Sign
from leadmill.core.reading import Table
from leadmill.runtime.dialect.model import Dialect, Format, Method, Picked, ReplyRule, ReplySpec, Secret
from leadmill.runtime.dialect.writing import STYLES

D = TypeVar("D", bound=Dialect)

_SIGNS: dict[str, Sign] = {"bearer": "bearer", "basic": "basic", "header": "header"}
_FORMATS: dict[str, Format] = {"json": "json", "form": "form", "xml": "xml", "csv": "csv"}
_METHODS: dict[str, Method] = {"POST": "POST", "PUT": "PUT", "GET": "GET"}
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_NOT_URL = re.compile(r"""[\s<>"\\^`{|}]|[^\x21-\x7e]""")
"""What stands in no address as it is written (RFC 3986): encode it."""
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def read_spec(
    table: Table,
    kind: type[D],
    *,
    groups: Iterable[str],
    named: str,
    always_signed: bool = False,
    timeout_ms: tuple[int, int, int] = (10_000, 50, 120_000),
    **own: Any,
) -> D:
    """The dialect that ``table`` declares, as ``kind``; ``own`` are the fields that ``kind`` adds. The caller closes
    the table.

    ``groups`` are the groups of values that a field may be taken from (``consent`` for ``consent.text``), ``named``
    examples of them for whoever mistakes one; ``always_signed`` leaves no choice but a ``secret``; ``timeout_ms`` is
    the default, the least and the most. Raises :class:`BadInput` with the table's code.
    """
    sign, secret, sign_name = _read_auth(table, always_signed)
    sources = re.compile(rf"(?:(?:{'|'.join(groups)})\.)?[A-Za-z_][A-Za-z0-9_]*")
    spec = kind(
        url=read_url(table),
        method=_METHODS[table.choice("method", _METHODS, "POST")],
        format=_FORMATS[table.choice("format", _FORMATS, "json")],
        fields=_read_fields(table, sources, named),
        constants=_read_values(table, "constants"),
        root=table.text("root", "lead"),
        headers={name: _as_text(value) for name, value in _read_values(table, "headers").items()},
        secret=secret,
        sign=sign,
        sign_name=sign_name,
        reply=_read_reply(table),
        timeout_ms=table.whole("timeout_ms", *timeout_ms),
        options=dict(table.value("options", {})),
        **own,
    )
    if not _XML_NAME.fullmatch(spec.root):
        table.refuse("must be a name that an XML element may have", "root")
    if spec.format == "xml":
        for target in (*spec.fields, *spec.constants):
            if not all(_XML_NAME.fullmatch(part.removeprefix("@")) for part in target.split(".")):
                table.refuse("must be names that an XML element may have", f"fields.{target}")
    return spec


def read_test(table: Table) -> dict[str, str | int | float | bool | Secret] | None:
    """What marks a test in the other side's words; None where the table says nothing of tests."""
    if not table.has("test"):
        return None
    inner = table.inner(table.value("test"), "test")
    found: dict[str, str | int | float | bool | Secret] = {}
    for name in table.value("test"):
        value = inner.value(name)
        if not isinstance(value, str | int | float | bool):
            inner.refuse("must be a text, a number, true or false", name)
        found[name] = value
    if not found:
        inner.refuse('is empty: write what marks a test, such as { lp_test = "1" }')
    return found


def read_url(table: Table, key: str = "url") -> str:
    """A whole address, or nothing where there is none."""
    url = table.text(key, "")
    if url:
        try:
            parts = urlsplit(url)
            whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is none, half an IPv6 address
            whole = False
        if not whole or _NOT_URL.search(url):
            table.refuse("must be a whole address such as https://buyer.example/leads", key)
        if parts.username is not None or parts.password is not None:
            table.refuse('must not hold a user and password; write auth = { kind = "basic", … }', key)
    return url


def _read_auth(table: Table, webhook: bool) -> tuple[Sign, str | None, str]:
    """How requests are signed: by ``secret`` (Standard Webhooks), by ``auth``, or not at all."""
    secret = _secret(table, "secret") if table.has("secret") else None
    table.value("secret", None)
    if not table.has("auth"):
        table.value("auth", None)
        return ("standard-webhook" if secret else "none"), secret, ""
    if secret is not None or webhook:
        table.refuse("it is either signed by secret or signs in by auth", "auth")
    auth = table.inner(table.value("auth"), "auth")
    kind = auth.choice("kind", _SIGNS)
    name = auth.text("user") if kind == "basic" else auth.text("name") if kind == "header" else ""
    key = {"bearer": "token", "basic": "password", "header": "value"}[kind]
    found = _secret(auth, key)
    auth.close()
    return _SIGNS[kind], found, name


def _secret(table: Table, key: str) -> str:
    inner = table.value(key)
    if not isinstance(inner, Mapping) or set(inner) != {"env"} or not _is_env(inner["env"]):
        table.refuse('must be a reference such as { env = "BUYER_SECRET" }, never the secret itself', key)
    return str(inner["env"])


def _is_env(name: object) -> bool:
    return isinstance(name, str) and _ENV.fullmatch(name) is not None


def _read_values(table: Table, key: str) -> dict[str, str | int | float | bool | Secret]:
    """Fixed values by name; a value may be a reference to a secret."""
    inner = table.inner(table.value(key, {}), key)
    found: dict[str, str | int | float | bool | Secret] = {}
    for name in table.value(key, {}):
        value = inner.value(name)
        if isinstance(value, Mapping):
            found[name] = Secret(_secret(inner, name))
        elif isinstance(value, str | int | float | bool):
            found[name] = value
        else:
            inner.refuse('must be a text, a number, true, false or { env = "NAME" }', name)
    return found


def _as_text(value: str | int | float | bool | Secret) -> str | Secret:
    return value if isinstance(value, str | Secret) else str(value).lower() if isinstance(value, bool) else str(value)


def _read_fields(table: Table, sources: "re.Pattern[str]", named: str) -> dict[str, Picked]:
    raw = table.value("fields", {})
    inner = table.inner(raw, "fields")
    found: dict[str, Picked] = {}
    for target in raw:
        value = inner.value(target)
        if not target.strip() or any(not part for part in target.split(".")):
            inner.refuse("is not a name", target)
        if isinstance(value, str):
            picked = Picked(value)
        else:
            one = table.inner(value, f"fields.{target}")
            values = one.value("values", {})
            if not isinstance(values, Mapping):
                one.refuse("must be a table from our value to the buyer's", "values")
            default = one.value("default", None)
            if default is not None and not isinstance(default, str | int | float | bool):
                one.refuse("must be a text, a number, true or false", "default")
            then = one.value("then", None)
            if then is not None and not isinstance(then, str | int | float | bool):
                one.refuse("must be a text, a number, true or false", "then")
            style = one.choice("style", STYLES, "plain")
            picked = Picked(one.text("from"), {str(k): v for k, v in values.items()}, STYLES[style], default, then)
            one.close()
        if not sources.fullmatch(picked.source):
            inner.refuse(f"must name a value such as {named}", target)
        found[target] = picked
    targets = set(found) | set(table.value("constants", {}))
    for target in targets:
        if any(other.startswith(f"{target}.") for other in targets):
            inner.refuse("is a value and a group at once", target)
    return found


def _read_reply(table: Table) -> ReplySpec:
    """The keys that say how answers read; they stand in the delivery table itself."""
    return ReplySpec(
        accept=tuple(_read_rule(table, "accept", item) for item in table.tables("accept")),
        reject=tuple(_read_rule(table, "reject", item) for item in table.tables("reject")),
        duplicate=tuple(_read_rule(table, "duplicate", item) for item in table.tables("duplicate")),
        retry=tuple(_read_rule(table, "retry", item) for item in table.tables("retry")),
        reason=read_path(table, "reason"),
        price=read_path(table, "price"),
        buyer_lead_id=read_path(table, "buyer_lead_id"),
    )


def read_path(table: Table, key: str) -> str:
    """Where a value stands in an answer: dotted, or an XPath where it begins with a slash; empty where undeclared."""
    path = table.text(key, "")
    if path.startswith("/"):
        _check_xpath(table, path, key)
    return path


def _read_rule(table: Table, key: str, raw: object) -> ReplyRule:
    one = table.inner(raw, key)
    kinds = [kind for kind in ("path", "xpath", "regex", "status") if one.has(kind)]
    if len(kinds) != 1:
        one.refuse("give one of path, xpath, regex or status")
    equals = one.value("equals", [])
    words = equals if isinstance(equals, list) else [equals]
    if not all(isinstance(word, str | int | float | bool) for word in words):
        one.refuse("must be a value or a list of values", "equals")
    status: Any = one.value("status", [])
    codes = status if isinstance(status, list) else [status]
    if not all(isinstance(code, int) and 200 <= code < 500 for code in codes):
        one.refuse("must be status codes from 200 to 499 (a server's 5xx is tried again)", "status")
    rule = ReplyRule(
        path=one.text("path", ""),
        xpath=one.text("xpath", ""),
        regex=one.text("regex", ""),
        status=tuple(codes),
        equals=tuple(str(word).strip().lower() for word in words),
    )
    one.close()
    if rule.equals and kinds[0] in ("regex", "status"):
        one.refuse(f"belongs to path and xpath, not to {kinds[0]}", "equals")
    if rule.xpath:
        _check_xpath(one, rule.xpath, "xpath")
    if rule.regex:
        try:
            re.compile(rule.regex)
        except re.error as fault:
            one.refuse(f"is no regular expression ({fault.msg})", "regex")
    return rule


def _check_xpath(table: Table, path: str, key: str) -> None:
    """ElementTree's XPath is a subset; one that it cannot read must not wait for the first answer to say so."""
    plain = re.sub(r"/@[\w.-]+$", "", path)
    if not plain.startswith("/"):
        table.refuse("must begin with /", key)
    if plain.count("[") != plain.count("]"):
        table.refuse("has a bracket that is not closed", key)
    try:
        ET.Element("probe").findall("." + (plain if plain.startswith("//") else f"/{plain.lstrip('/')}"))
    except (SyntaxError, KeyError, ValueError):
        table.refuse("is no XPath of the supported kind, such as /response/result or //status", key)
