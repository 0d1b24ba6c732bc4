"""Asks any service that speaks JSON over HTTP, as its declaration says.

Found by the entry point ``http`` of ``leadmill.facts``. The declaration holds the address, what is told under which
name, where in the answer which fact stands, and which words mean what; no code is needed for another service.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from leadmill.core.conversation import HttpAsk, HttpReply, Sign
from leadmill.core.faults import Transient
from leadmill.core.reading import Table
from leadmill.enrich import at, fact_value, is_answer, malformed, plain, tree_of, word
from leadmill.facts import Fact, FactValue, Outcome

_CODE = "config.provider.malformed"
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}")
_SIGNS: dict[str, Sign] = {"bearer": "bearer", "basic": "basic", "header": "header"}
_METHODS = ("GET", "POST")


class Found(Struct, frozen=True):
    """A fact of an answer: what stands at ``path`` under our ``key``. With words for ``passes`` or ``fails`` the fact
    is true or false and anything else unknown; without any it is what stands there, translated by ``values``."""

    key: str
    path: str
    passes: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    values: Mapping[str, FactValue] = {}
    confidence: int = 90
    confidence_path: str = ""


class Words(Struct, frozen=True):
    """Where an answer says how it went, and by which words: ``known``, ``unknown``, ``failed`` or ``later``."""

    path: str = ""
    known: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


class Service(Struct, frozen=True, kw_only=True):
    """A service as declared: a provider. ``tells`` maps its names (dotted for nesting) to ours."""

    name: str
    url: str
    method: str
    topics: Mapping[str, Sequence[str]]
    tells: Mapping[str, str]
    constants: Mapping[str, Any]
    headers: Mapping[str, str]
    sign: Sign
    sign_name: str
    secret: str | None
    words: Words
    finds: tuple[Found, ...]

    def ask(self, topic: str, params: Mapping[str, str]) -> HttpAsk:
        """One request that holds what is told and what never changes."""
        told: dict[str, Any] = {theirs: params[ours] for theirs, ours in self.tells.items() if ours in params}
        told |= self.constants
        url, body = self.url, b""
        headers = {"Accept": "application/json", **self.headers}
        if self.method == "GET":
            url = f"{url}{'&' if '?' in url else '?'}{urlencode({name: _text(value) for name, value in told.items()})}"
        else:
            body = msgspec.json.encode(_nested(told))
            headers["Content-Type"] = "application/json"
        return HttpAsk(
            method="GET" if self.method == "GET" else "POST",
            url=url,
            headers=headers,
            body=body,
            secret=self.secret,
            sign=self.sign,
            sign_name=self.sign_name,
        )

    def read(self, topic: str, reply: HttpReply, params: Mapping[str, str]) -> Sequence[Fact]:
        """The facts of the answer."""
        if not is_answer(reply):
            return []
        tree = tree_of(reply)
        if self.words.path and not self._says(tree):
            return []
        return [fact for one in self.finds if (fact := _found(one, tree, self.name)) is not None]

    def _says(self, tree: Any) -> bool:
        """Whether by its own word the answer holds something."""
        said = word(at(tree, self.words.path))
        if said in self.words.later:
            raise Transient("enrich.provider.busy", "the provider asks to come back later")
        if said in self.words.failed:
            raise malformed("the provider says that it could not answer")
        if said in self.words.unknown:
            return False
        if said in self.words.known or not self.words.known:
            return True
        raise malformed("the provider says something that its declaration does not name")


def _found(one: Found, tree: Any, name: str) -> Fact | None:
    raw = at(tree, one.path)
    if raw is None:
        return None
    value: FactValue
    outcome: Outcome
    if one.passes or one.fails:
        said = word(raw)
        value = True if said in one.passes else False if said in one.fails else None
        outcome = "unknown" if value is None else "pass" if value else "fail"
    else:
        value = one.values.get(word(raw), fact_value(raw)) if one.values else fact_value(raw)
        outcome = "unknown" if value is None else "pass"
    return Fact(one.key, value, outcome, name, _confidence(one, tree) if value is not None else 0)


def _confidence(one: Found, tree: Any) -> int:
    """In per cent; a share up to 1 is read as one."""
    said = at(tree, one.confidence_path) if one.confidence_path else None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 100:
        return one.confidence
    return round(said * 100) if said <= 1 else round(said)


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _nested(told: Mapping[str, Any]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, value in told.items():
        *path, last = name.split(".")
        place = root
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return root


class HttpProviders:
    """The plug-in: makes a :class:`Service` of a declaration."""

    name = "http"

    def make(self, name: str, options: Mapping[str, object]) -> Service:
        """Raises BadInput ``config.provider.malformed`` with the place."""
        table = Table(options, f"provider {name}, options", _CODE)
        sign, sign_name, secret = _auth(table)
        topics = _topics(table)
        service = Service(
            name=name,
            url=_url(table),
            method=table.choice("method", _METHODS, "POST"),
            topics=topics,
            tells=_tells(table, {plain(need) for needs in topics.values() for need in needs}),
            constants=_constants(table),
            headers=_headers(table),
            sign=sign,
            sign_name=sign_name,
            secret=secret,
            words=_words(table),
            finds=tuple(_find(table, place, raw) for place, raw in enumerate(table.tables("facts"))),
        )
        table.close()
        if not service.finds:
            table.refuse("finds nothing in an answer", "facts")
        return service


def _url(table: Table) -> str:
    url = table.text("url")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        table.refuse("must be a whole address such as https://api.provider.example/v1, without a user", "url")
    return url


def _auth(table: Table) -> tuple[Sign, str, str | None]:
    if not table.has("auth"):
        return "none", "", None
    part = table.inner(table.value("auth"), "auth")
    kind = part.choice("kind", _SIGNS)
    name = part.text("user") if kind == "basic" else part.text("name") if kind == "header" else ""
    key = {"bearer": "token", "basic": "password", "header": "value"}[kind]
    given = part.value(key)
    if not isinstance(given, Mapping) or set(given) != {"env"} or not _ENV.fullmatch(str(given["env"])):
        part.refuse('must be a reference such as { env = "PROVIDER_KEY" }, never the secret itself', key)
    part.close()
    return _SIGNS[kind], name, str(given["env"])


def _topics(table: Table) -> dict[str, tuple[str, ...]]:
    raw = table.value("topics")
    part = table.inner(raw, "topics")
    found = {str(name): part.texts(str(name)) for name in raw}
    part.close()
    if not found or not all(found.values()):
        table.refuse('must say what is needed for each, such as { phone = ["phone"] }', "topics")
    return found


def _tells(table: Table, needs: set[str]) -> dict[str, str]:
    raw = table.value("tells")
    part = table.inner(raw, "tells")
    found = {str(theirs): part.text(str(theirs)) for theirs in raw}
    part.close()
    for theirs, ours in found.items():
        if ours not in needs:
            part.refuse("names something that no topic needs", theirs)
    for need in needs - set(found.values()):
        _refuse(table, f"{need} is needed by a topic and told under no name")
    return found


def _refuse(table: Table, says: str) -> NoReturn:
    table.refuse(says, "tells")


def _constants(table: Table) -> dict[str, Any]:
    raw = table.value("constants", {})
    part = table.inner(raw, "constants")
    for name in raw:
        if not isinstance(part.value(str(name)), str | int | float | bool):
            part.refuse("must be a text, a number, true or false", str(name))
    return dict(raw)


def _headers(table: Table) -> dict[str, str]:
    raw = table.value("headers", {})
    part = table.inner(raw, "headers")
    return {str(name): part.text(str(name)) for name in raw}


def _words(table: Table) -> Words:
    if not table.has("answer"):
        return Words()
    part = table.inner(table.value("answer"), "answer")
    found = Words(
        path=part.text("path"),
        known=_said(part, "known"),
        unknown=_said(part, "unknown"),
        failed=_said(part, "failed"),
        later=_said(part, "later"),
    )
    part.close()
    return found


def _said(table: Table, key: str) -> tuple[str, ...]:
    raw = table.value(key, [])
    if not isinstance(raw, list) or not all(isinstance(item, str | int | float) for item in raw):
        table.refuse("must be a list of words", key)
    return tuple(word(item) for item in raw)


def _find(table: Table, place: int, raw: object) -> Found:
    part = table.inner(raw, f"facts[{place}]")
    key = part.text("key")
    if not _KEY.fullmatch(key):
        part.refuse("must be a key such as phone.reachable", "key")
    values = part.value("values", {})
    if not isinstance(values, Mapping):
        part.refuse("must be a table from the provider's word to ours", "values")
    found = Found(
        key=key,
        path=part.text("path"),
        passes=_said(part, "pass"),
        fails=_said(part, "fail"),
        values={word(name): fact_value(value) for name, value in values.items()},
        confidence=part.whole("confidence", 90, least=1, most=100),
        confidence_path=part.text("confidence_path", ""),
    )
    part.close()
    return found


providers = HttpProviders()
