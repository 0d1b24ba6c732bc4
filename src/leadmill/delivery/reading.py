"""Reads the ``delivery`` table of a buyer or team into a :class:`DeliverySpec`.

Called when configuration is applied, so that a mistake is refused before a lead meets it, and when rules are built.
Strict: an unknown key is refused with the nearest known one; secrets are names of environment variables, never values.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from leadmill.core.conversation import Sign
from leadmill.core.reading import Table, nearest
from leadmill.delivery.model import Courier, DeliverySpec, Format, Method, Picked, ReplyRule, ReplySpec, Secret
from leadmill.delivery.rules import STYLES

_CODE = "config.delivery.malformed"
_WEBHOOK_RETRIES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""About three days, as Standard Webhooks 1.0 advises."""
_LEAD_RETRIES = (10, 60, 300, 1_800, 7_200)
"""About two and a half hours: a lead that old is worth less to the buyer than to the next one."""
_SIGNS: dict[str, Sign] = {"bearer": "bearer", "basic": "basic", "header": "header"}
_FORMATS: dict[str, Format] = {"json": "json", "form": "form", "xml": "xml", "csv": "csv"}
_METHODS: dict[str, Method] = {"POST": "POST", "PUT": "PUT", "GET": "GET"}
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SOURCE = re.compile(r"(?:(?:fields|consent|context|lead|sale)\.)?[A-Za-z_][A-Za-z0-9_]*")


def read_delivery(raw: object, where: str = "delivery", couriers: Mapping[str, Courier] | None = None) -> DeliverySpec:
    """The spec as declared. ``couriers``, where given, are the installed ones: the named one must exist and be content.

    Raises :class:`BadInput` ``config.delivery.malformed`` saying where and what to write instead.
    """
    table = Table(raw, where, _CODE)
    courier = table.text("courier")
    webhook = courier == "webhook"
    sign, secret, sign_name = _read_auth(table, webhook)
    spec = DeliverySpec(
        courier=courier,
        url=_read_url(table),
        method=_METHODS[table.choice("method", _METHODS, "POST")],
        format=_FORMATS[table.choice("format", _FORMATS, "json")],
        fields=_read_fields(table),
        constants=_read_values(table, "constants"),
        root=table.text("root", "lead"),
        headers={name: _as_text(value) for name, value in _read_values(table, "headers").items()},
        secret=secret,
        sign=sign,
        sign_name=sign_name,
        to=_texts(table, "to"),
        sender=table.text("sender", ""),
        subject=table.text("subject", ""),
        path=table.text("path", ""),
        reply=_read_reply(table),
        timeout_ms=table.whole("timeout_ms", 10_000, 50, 120_000),
        retries=_read_retries(table, _WEBHOOK_RETRIES if webhook else _LEAD_RETRIES),
        options=dict(table.value("options", {})),
    )
    table.close()
    if not _XML_NAME.fullmatch(spec.root):
        table.refuse("must be a name that an XML element may have", "root")
    if spec.format == "xml":
        for target in (*spec.fields, *spec.constants):
            if not all(_XML_NAME.fullmatch(part.removeprefix("@")) for part in target.split(".")):
                table.refuse("must be names that an XML element may have", f"fields.{target}")
    if couriers is not None:
        _check(table, spec, couriers)
    return spec


def _check(table: Table, spec: DeliverySpec, couriers: Mapping[str, Courier]) -> None:
    courier = couriers.get(spec.courier)
    if courier is None:
        table.refuse(f"no courier '{spec.courier}' is installed; {nearest(spec.courier, couriers)}", "courier")
    for key, says in courier.check(spec):
        table.refuse(says, key)


def _read_url(table: Table) -> str:
    url = table.text("url", "")
    if url:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            table.refuse("must be a whole address such as https://buyer.example/leads", "url")
        if parts.username is not None or parts.password is not None:
            table.refuse('must not hold a user and password; write auth = { kind = "basic", … }', "url")
    return url


def _read_auth(table: Table, webhook: bool) -> tuple[Sign, str | None, str]:
    """How requests are signed: by ``secret`` (Standard Webhooks), by ``auth``, or not at all."""
    secret = _secret(table, "secret") if table.has("secret") else None
    table.value("secret", None)
    if not table.has("auth"):
        table.value("auth", None)
        return ("standard-webhook" if secret else "none"), secret, ""
    if secret is not None or webhook:
        table.refuse("a delivery is either signed by secret or signs in by auth", "auth")
    auth = Table(table.value("auth"), f"{table.where}, auth", _CODE)
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
    inner = Table(table.value(key, {}), f"{table.where}, {key}", _CODE)
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


def _read_fields(table: Table) -> dict[str, Picked]:
    where = f"{table.where}, fields"
    raw = table.value("fields", {})
    inner = Table(raw, where, _CODE)
    found: dict[str, Picked] = {}
    for target in raw:
        value = inner.value(target)
        if not target.strip() or any(not part for part in target.split(".")):
            inner.refuse("is not a name", target)
        if isinstance(value, str):
            picked = Picked(value)
        else:
            one = Table(value, f"{where}.{target}", _CODE)
            values = one.value("values", {})
            if not isinstance(values, Mapping):
                one.refuse("must be a table from our value to the buyer's", "values")
            default = one.value("default", None)
            if default is not None and not isinstance(default, str | int | float | bool):
                one.refuse("must be a text, a number, true or false", "default")
            style = one.choice("style", STYLES, "plain")
            picked = Picked(one.text("from"), {str(k): v for k, v in values.items()}, STYLES[style], default)
            one.close()
        if not _SOURCE.fullmatch(picked.source):
            inner.refuse(
                "must name a value such as first_name, consent.text, context.ip, lead.id or sale.price", target
            )
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
        retry=tuple(_read_rule(table, "retry", item) for item in table.tables("retry")),
        reason=_path(table, "reason"),
        price=_path(table, "price"),
        buyer_lead_id=_path(table, "buyer_lead_id"),
    )


def _path(table: Table, key: str) -> str:
    path = table.text(key, "")
    if path.startswith("/"):
        _check_xpath(table, path, key)
    return path


def _read_rule(table: Table, key: str, raw: object) -> ReplyRule:
    one = Table(raw, f"{table.where}, {key}", _CODE)
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


def _texts(table: Table, key: str) -> tuple[str, ...]:
    value = table.value(key, [])
    return (value,) if isinstance(value, str) and value.strip() else table.texts(key, [])


def _read_retries(table: Table, default: tuple[int, ...]) -> tuple[int, ...]:
    waits = table.value("retries", list(default))
    if not isinstance(waits, list) or len(waits) > 30:
        table.refuse("must be a list of at most 30 waits in seconds", "retries")
    if not all(isinstance(wait, int) and not isinstance(wait, bool) and 1 <= wait <= 7 * 86_400 for wait in waits):
        table.refuse("must be waits in whole seconds, from 1 to a week", "retries")
    return tuple(waits)
