"""Dialects: how other systems' senders speak to us, read from ``packs/dialects/<name>/``.

Read at the start by ``flow.book``; used by :mod:`leadmill.capture.translating` (a request becomes a submission's
fields) and :mod:`leadmill.capture.answering` (an outcome becomes the answer they expect). A dialect is data: nothing
in the program knows the name of any system. A profile that cannot be understood is refused whole, with the place;
nothing in it is ignored.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from leadmill.capture.model import Vertical
from leadmill.capture.readers import fold
from leadmill.core.reading import Table, nearest
from leadmill.runtime.packs import Pack, Packs

_FAULT = "packs.dialect.malformed"
_SECTIONS = ("fields", "consent", "context", "extra")
_PLACE = re.compile(r"\{([a-z_.][a-z0-9_.]*)(?::([a-z]+))?(?:\|([^{}]*))?\}")
_FREE = re.compile(r"\{[^{}]*\}")

Mode = Literal["direct", "ping", "post"]
"""What a request wants: to hand over a lead at once, to ask for a price, to hand over the lead of an earlier ping."""

Format = Literal["json", "xml", "text"]

OUTCOMES: dict[str, str] = {
    "sold": "",
    "bid": "sold",
    "call_bid": "bid",
    "call_no_bid": "no_bid",
    "test": "sold",
    "review": "unsold",
    "unsold": "rejected",
    "rejected": "",
    "no_bid": "rejected",
    "duplicate": "rejected",
    "invalid": "rejected",
    "denied": "invalid",
    "busy": "invalid",
    "broken": "busy",
}
"""What there is to say, and what is said instead where a dialect has no words for it. ``sold`` covers in-house
assignment; what begins with ``call`` is said of a caller who is on the line; ``review`` and ``unsold`` are leads that
were taken and earn nothing (yet); ``invalid`` is a request that cannot be read, ``denied`` one from nobody we know,
``busy`` and ``broken`` our own trouble."""

PLACES = frozenset(
    ("lead_id", "ping_id", "price", "currency", "reason", "code", "redirect_url", "expires_at", "expires_in", "mode")
) | frozenset(("now", "bids", "sub1", "call_number", "call_digits", "call_sip", "call_seconds"))
"""What an answer's templates may name; in a list of bids ``bid.id``, ``bid.seller`` and ``bid.price`` too."""

_BID_PLACES = frozenset(("bid.id", "bid.seller", "bid.price"))
_KINDS = ("text", "number", "whole", "flag")


class Switch(Struct, frozen=True):
    """A choice made by the request: the first of the parameters ``by`` that is there decides, by its folded value.
    ``header.accept`` and the like look at a header, which only has to contain the value."""

    by: tuple[str, ...] = ()
    values: dict[str, str] = {}
    default: str = ""


class Door(Struct, frozen=True):
    """An address of theirs that we serve. ``mode`` chooses ``ping`` or ``post``; ``call`` says that whoever comes by it
    is on the telephone."""

    path: str
    verbs: tuple[str, ...]
    mode: Switch
    call: bool = False


class Trial(Struct, frozen=True):
    """What makes a request a test besides the usual flags: the parameter ``name`` with one of the ``values``."""

    name: str
    values: tuple[str, ...]


class Exclusion(Struct, frozen=True):
    """Where a sender says which buyers must not get the lead. ``at`` is the dotted path of one such directive or a
    list of them; it excludes where its ``by`` has one of the ``values`` (always, without ``by``), and the buyer is
    named under ``names``: by id, by name, or by a hash of the name as ``overlap`` reads it."""

    at: str
    names: tuple[str, ...] = ()
    by: str = ""
    values: tuple[str, ...] = ()


class Later(Struct, frozen=True):
    """How a sender of the dialect is told the outcome at an address that it named: by which verb, in which form (in the
    address itself for ``GET``), by which templates; their words are those of the answers."""

    verb: Literal["GET", "POST"] = "POST"
    form: Literal["json", "xml", "form"] = "form"
    root: str = "response"
    templates: dict[str, dict[str, Any]] = {}


class Dialect(Struct, frozen=True, kw_only=True):
    """One system's way of sending leads.

    ``credentials`` are the parameters that together tell who calls; ``keys`` those in which an API key of the source
    is looked for, in order (``header.api-key`` looks at a header). ``fields`` gives for a folded name of theirs the
    target among ours, as in ``context.sub1``, empty to leave it out; ``written`` is the same with the names as they
    write them. ``left_out`` are folded names that steer or prove and are no part of a lead; ``strip`` are beginnings
    of names that are cut off; ``sends`` and ``example`` (parameters that steer, the test flag among them) are for the
    posting instructions. ``templates`` and ``words`` make the answers.
    """

    name: str
    title: str
    doors: tuple[Door, ...]
    credentials: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    vertical: tuple[str, ...] = ()
    ping_id: tuple[str, ...] = ()
    own_id: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    strip: tuple[re.Pattern[str], ...] = ()
    left_out: frozenset[str] = frozenset()
    fields: dict[str, str] = {}
    written: dict[str, str] = {}
    example: dict[str, str] = {}
    trials: tuple[Trial, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    sends: Literal["form", "json", "xml"] = "form"
    format: Switch = Switch(default="json")
    root: str = "response"
    rooted: bool = False
    media: dict[str, str] = {}
    templates: dict[str, dict[str, Any]] = {}
    words: dict[str, dict[str, str | int]] = {}
    later: Later | None = None
    confirmed: tuple[str, ...] = ()
    recalled: tuple[str, ...] = ()
    digest: str = ""

    @property
    def calls(self) -> bool:
        """Whether all that is said in it is of callers who are on the line."""
        return all(door.call for door in self.doors)


def read_dialects(packs: Packs, verticals: Mapping[str, Vertical]) -> dict[str, Dialect]:
    """Every dialect that senders may speak, by name; a pack without ``inbound.toml`` has none. Raises ``BadInput``
    ``packs.dialect.malformed`` with the place of what is wrong."""
    return {
        name: read_dialect(pack, verticals) for name, pack in packs.dialects.items() if "inbound.toml" in pack.files
    }


def read_dialect(pack: Pack, verticals: Mapping[str, Vertical]) -> Dialect:
    """One dialect; the targets of its fields must be fields of some vertical."""
    head = Table(pack.file("dialect.toml"), f"{pack.name}/dialect.toml", _FAULT)
    title, confirmed, recalled = head.text("title"), head.texts("confirmed", ()), head.texts("recalled", ())
    head.value("version", 1)
    head.close()
    where = f"{pack.name}/inbound.toml"
    table = Table(pack.file("inbound.toml"), where, _FAULT)
    doors = tuple(_door(raw, f"{where}, door[{no}]") for no, raw in enumerate(table.tables("door")))
    if not doors:
        table.refuse("needs at least one [[door]]", "door")
    who = Table(table.value("credentials", {}), f"{where}, credentials", _FAULT)
    credentials, keys = who.texts("names", ()), who.texts("key", ())
    who.close()
    if not credentials and not keys:
        table.refuse("needs names, key, or both: somebody must be calling", "credentials")
    names = Table(table.value("names", {}), f"{where}, names", _FAULT)
    sends: Any = names.choice("sends", ("form", "json", "xml"), "form")
    vertical, ping_id = names.texts("vertical", ()), names.texts("ping_id", ())
    reply = Table(table.value("reply"), f"{where}, reply", _FAULT)
    later = Table(table.value("later"), f"{where}, later", _FAULT) if table.has("later") else None
    written = _fields(table, where, verticals)
    found = Dialect(
        name=pack.name,
        title=title,
        doors=doors,
        credentials=credentials,
        keys=keys,
        vertical=vertical,
        ping_id=ping_id,
        own_id=names.texts("own_id", ()),
        groups=frozenset(fold(name) for name in names.texts("groups", ())),
        strip=tuple(_pattern(names, text) for text in names.texts("strip", ())),
        left_out=frozenset(
            fold(name) for name in (*names.texts("drop", ()), *keys, *vertical, *ping_id) if "." not in name
        ),
        sends=sends,
        fields={fold(name): target for name, target in written.items()},
        written=written,
        example=_texts(names, "example"),
        trials=tuple(_trial(raw, f"{where}, test[{no}]") for no, raw in enumerate(table.tables("test"))),
        exclusions=tuple(_exclusion(raw, f"{where}, exclude[{no}]") for no, raw in enumerate(table.tables("exclude"))),
        format=_switch(reply, "format", ("json", "xml", "text"), "json"),
        root=reply.text("root", "response"),
        rooted=reply.flag("rooted", False),
        media=_texts(reply, "media"),
        words=_words(reply),
        templates=_templates(reply, where),
        later=_later(later, where) if later is not None else None,
        confirmed=confirmed,
        recalled=recalled,
        digest=pack.digest,
    )
    for each in (names, reply, table, *((later,) if later is not None else ())):
        each.close()
    told = [(reply, found.templates), *([(later, found.later.templates)] if later and found.later else [])]
    for part, templates in told:
        for needed in ("sold", "rejected"):
            if needed not in templates:
                part.refuse("must be there: other outcomes fall back on it", needed)
        _check_words(part, templates, found.words)
    return found


def _later(table: Table, where: str) -> Later:
    verb = table.choice("verb", ("GET", "POST"), "POST")
    form: Any = table.choice("form", ("json", "xml", "form"), "form")
    if verb == "GET" and form != "form":
        table.refuse("is form where the verb is GET", "form")
    return Later("GET" if verb == "GET" else "POST", form, table.text("root", "response"), _templates(table, where))


def spoken(template: Mapping[str, Any], outcome: str) -> str:
    """The nearest outcome that ``template`` has words for."""
    while outcome and outcome not in template:
        outcome = OUTCOMES.get(outcome, "")
    return outcome


def places_of(text: str) -> list[tuple[str, str, str | None]]:
    """The places in a template's text: name, kind, and what stands in where there is nothing."""
    return [(name, kind or "text", None if default is None else default) for name, kind, default in _found(text)]


def _found(text: str) -> Iterable[tuple[str, str, str | None]]:
    for match in _PLACE.finditer(text):
        yield match[1], match[2] or "", match[3]


def _door(raw: object, where: str) -> Door:
    table = Table(raw, where, _FAULT)
    path = table.text("path")
    if not path.startswith("/") or any(sign in path for sign in "?#{} "):
        table.refuse("must be a plain path that begins with /", "path")
    verbs = table.texts("verbs", ("POST",))
    if not set(verbs) <= {"GET", "POST"}:
        table.refuse("may be GET and POST", "verbs")
    door = Door(path, verbs, _switch(table, "mode", ("ping", "post"), "post"), table.flag("call", False))
    table.close()
    return door


def _switch(table: Table, key: str, known: tuple[str, ...], otherwise: str) -> Switch:
    raw = table.value(key, otherwise)
    if isinstance(raw, str):
        if raw not in known:
            table.refuse(f"must be one of {', '.join(known)}", key)
        return Switch(default=raw)
    inner = Table(raw, f"{table.where}, {key}", _FAULT)
    values = _texts(inner, "values")
    for value in values.values():
        if value not in known:
            inner.refuse(f"may give {', '.join(known)}", "values")
    found = Switch(
        by=inner.texts("by"),
        values={value.lower() if "/" in value else fold(value): meant for value, meant in values.items()},
        default=inner.choice("default", known, otherwise),
    )
    inner.close()
    return found


def _trial(raw: object, where: str) -> Trial:
    table = Table(raw, where, _FAULT)
    found = Trial(table.text("name"), tuple(value.lower() for value in table.texts("values")))
    table.close()
    return found


def _exclusion(raw: object, where: str) -> Exclusion:
    table = Table(raw, where, _FAULT)
    values = tuple(value.lower() for value in table.texts("values", ()))
    found = Exclusion(table.text("at"), table.texts("names", ()), table.text("by", ""), values)
    if not all(found.at.split(".")):
        table.refuse("must be a name or a dotted path of names", "at")
    if bool(found.by) != bool(values):
        table.refuse("go together with by: which values of it exclude", "values")
    table.close()
    return found


def _pattern(table: Table, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as fault:
        table.refuse(f"is no regular expression ({fault.msg})", "strip")


def _texts(table: Table, key: str) -> dict[str, str]:
    raw = table.value(key, {})
    if not isinstance(raw, Mapping) or not all(isinstance(value, str) for value in raw.values()):
        table.refuse("must be a table of texts", key)
    return dict(raw)


def _fields(table: Table, where: str, verticals: Mapping[str, Vertical]) -> dict[str, str]:
    found = _texts(table, "fields")
    known = {"test", *(name for vertical in verticals.values() for name in vertical.fields)}
    for vertical in verticals.values():
        known |= {f"consent.{name}" for name in vertical.consent} | {f"context.{name}" for name in vertical.context}
    for name, target in found.items():
        if target and target not in known and not target.startswith("extra."):
            table.refuse(f"'{target}' is no field of any vertical; {nearest(target, known)}", f"fields.{name}")
    return found


def _words(reply: Table) -> dict[str, dict[str, str | int]]:
    raw = reply.value("words", {})
    if not isinstance(raw, Mapping):
        reply.refuse("must be a table of tables", "words")
    found: dict[str, dict[str, str | int]] = {}
    for name, table in raw.items():
        if not isinstance(table, Mapping) or not all(type(value) in (str, int) for value in table.values()):
            reply.refuse("must be a table of texts and whole numbers", f"words.{name}")
        for key in table:
            if "." not in key and key not in OUTCOMES:
                reply.refuse(f"'{key}' is no outcome; {nearest(key, OUTCOMES)}", f"words.{name}")
        found[str(name)] = dict(table)
    return found


def _templates(reply: Table, where: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for outcome in OUTCOMES:
        if reply.has(outcome):
            raw = reply.value(outcome)
            if not isinstance(raw, Mapping) or not raw:
                reply.refuse("must be a table", outcome)
            found[outcome] = dict(raw)
    return found


def _check_words(
    reply: Table, templates: Mapping[str, dict[str, Any]], words: Mapping[str, Mapping[str, str | int]]
) -> None:
    """Every place in a template must be one there is, and every word have a table."""
    known = PLACES | {f"word.{name}" for name in words}
    todo: list[tuple[str, Any, frozenset[str]]] = [
        (outcome, template, frozenset(known)) for outcome, template in templates.items()
    ]
    while todo:
        at, value, allowed = todo.pop()
        if isinstance(value, Mapping):
            inner = allowed | _BID_PLACES if "each" in value else allowed
            if value.get("each", "bids") != "bids":
                reply.refuse("may only be 'bids'", f"{at}.each")
            todo += [(f"{at}.{key}", item, inner) for key, item in value.items() if key != "each"]
        elif isinstance(value, list):
            todo += [(at, item, allowed) for item in value]
        elif isinstance(value, str):
            for name, kind, _ in places_of(value):
                if name not in allowed:
                    reply.refuse(f"there is no {{{name}}}; {nearest(name, allowed)}", at)
                if kind not in _KINDS:
                    reply.refuse(f"'{kind}' is no kind; known: {', '.join(_KINDS)}", at)
            if _FREE.sub("", value).count("{") or len(_FREE.findall(value)) != len(places_of(value)):
                reply.refuse("has a brace that is no place", at)
        elif not isinstance(value, int | float | bool):
            reply.refuse("may hold texts, numbers, tables and lists", at)
