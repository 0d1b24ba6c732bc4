"""How a source posts its leads: the instructions for one source, made from the packs.

Called by the page ``/spec/{source}``, which adds addresses of its own and shows them. Pure. Everything that stands
here is what the intake goes by: the names, the types, the answers; the example is one that can be sent as it stands.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct
from msgspec.structs import replace

from leadmill.capture.answering import OneBid, Said, Spoken, speak
from leadmill.capture.dialects import Dialect, Door
from leadmill.capture.model import FieldSpec, Vertical
from leadmill.capture.readers import fold
from leadmill.capture.translating import form_of
from leadmill.parties import Source

PLACEHOLDER = "YOUR-KEY"
"""What stands where a secret goes."""

_VALUES: dict[str, str] = {
    "first_name": "Ana", "last_name": "Lopez", "email": "ana.lopez@example.com", "phone": "+1 415 601 2300",
    "address": "12 Oak Street", "city": "San Francisco", "state": "CA", "zip": "94110", "country": "US",
    "date_of_birth": "1980-05-06", "gender": "female",
    "consent.text": "I agree to be called and texted at the number I gave, also with automated technology.",
    "consent.trustedform": "https://cert.trustedform.com/0123456789abcdef", "context.ip": "203.0.113.7",
    "context.user_agent": "Mozilla/5.0", "context.landing_page": "https://example.com/quote", "context.sub1": "pub-22",
}  # fmt: skip
_ALWAYS = (
    "first_name", "last_name", "email", "phone", "state", "zip", "consent.text", "consent.trustedform", "context.ip",
    "context.user_agent", "context.landing_page", "context.sub1",
)  # fmt: skip
_USUAL = frozenset(_VALUES) | frozenset(
    ("county", "age", "language", "best_time_to_call", "comments", "timeframe", "full_name", "phone_alternate")
)
"""What every vertical asks: an example shows what this one asks besides."""
_SAID = (
    ("A lead that was sold.", Said(outcome="sold", lead_id="lead_0123", price="45.50", currency="USD")),
    ("Nobody wants it now.", Said(outcome="unsold", lead_id="lead_0124", reason="No order could take the lead.")),
    ("The same person came before.", Said(outcome="duplicate", lead_id="lead_0125", reason="Sent before.")),
    ("A field is wrong.", Said(outcome="invalid", reason="email: has at most 254 characters")),
    ("The credentials are not right.", Said(outcome="denied", reason="these credentials are not known")),
)
_PING_SAID = (
    ("A bid.", Said(outcome="bid", mode="ping", ping_id="ping_0123", price="45.50", bids=(OneBid("1", "Helio"),))),
    ("No bid.", Said(outcome="no_bid", mode="ping", ping_id="ping_0124", reason="No order could take the lead.")),
)


class Line(Struct, frozen=True, kw_only=True):
    """A field as the source sends it: ``name`` theirs, ``field`` ours; ``ping`` says whether a ping may carry it."""

    name: str
    field: str
    title: str
    type: str
    required: bool = False
    ping: bool = True
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    says: str = ""


class Group(Struct, frozen=True):
    """Fields that belong together: those of a vertical, the consent, the circumstances. ``code`` is what the source
    sends for the vertical."""

    title: str
    lines: tuple[Line, ...]
    vertical: str = ""
    code: str = ""


class Sample(Struct, frozen=True):
    """A request that works and the answers it may get, as (says, answer). ``headers`` and ``body`` as in ``curl``."""

    title: str
    verb: str
    path: str
    headers: dict[str, str]
    body: str
    answers: tuple[tuple[str, str], ...]

    def curl(self, base: str) -> str:
        """The request as a command line."""
        lines = [f"curl '{base}{self.path}'"]
        lines += [f"-H '{name}: {value}'" for name, value in self.headers.items()]
        if self.headers.get("Content-Type", "").endswith("urlencoded"):
            lines = lines[:1] + [f"--data '{part}'" for part in self.body.split("&")]
        else:
            lines.append(f"-d '{self.body}'".replace("\n", "\n  "))
        return " \\\n  ".join(lines)


class Posting(Struct, frozen=True, kw_only=True):
    """The instructions for one source. ``addresses`` are (verbs, path, what for); ``credentials`` (where, value), a
    secret as a placeholder."""

    source: str
    name: str
    speaks: str
    addresses: tuple[tuple[str, str, str], ...]
    credentials: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    samples: tuple[Sample, ...]


def posting_of(source: Source, verticals: Sequence[Vertical], dialect: Dialect | None) -> Posting:
    """The instructions for a source that sends these verticals, in its dialect or in our own form (whose samples the
    caller adds)."""
    names = {} if dialect is None else _names_of(dialect)
    codes = {meant: code for code, meant in source.dialect.verticals.items()}
    groups = [
        Group(
            vertical.title,
            tuple(_line(name, spec, names, "") for name, spec in vertical.fields.items()),
            vertical.name,
            codes.get(vertical.name, vertical.name),
        )
        for vertical in verticals
    ]
    first = verticals[0]
    groups.append(Group("Consent", tuple(_line(name, spec, names, "consent.") for name, spec in first.consent.items())))
    groups.append(
        Group("Circumstances", tuple(_line(name, spec, names, "context.") for name, spec in first.context.items()))
    )
    return Posting(
        source=source.id,
        name=source.name,
        speaks=dialect.title if dialect is not None else "",
        addresses=() if dialect is None else _addresses(dialect, source),
        credentials=() if dialect is None else _credentials(dialect, source) + _ours(dialect),
        groups=tuple(groups),
        samples=() if dialect is None else tuple(_samples(dialect, source, first, codes)),
    )


def example_values(vertical: Vertical, *, ping: bool = False) -> dict[str, str]:
    """A value for each field that an example should show, by our names (``consent.`` and ``context.`` before those):
    the usual ones, what the vertical requires, and its own first few."""
    own = [name for name, spec in vertical.fields.items() if not spec.personal and name not in _USUAL][:6]
    wanted = dict.fromkeys((*_ALWAYS, *vertical.required, *own))
    found: dict[str, str] = {}
    for name in wanted:
        spec = vertical.fields.get(name)
        if ping and (name.startswith("consent.") or (spec is not None and spec.personal)):
            continue
        value = _VALUES.get(name) or (_value(spec) if spec is not None else "")
        if value:
            found[name] = value
    return found


def _value(spec: FieldSpec) -> str:
    if spec.choices:
        return spec.choices[0].value
    if spec.type in ("int", "number", "money"):
        low = spec.minimum if spec.minimum is not None else 0
        high = spec.maximum if spec.maximum is not None else low + 1_000
        return str(int(min(max(low, 240), high)))
    return {"bool": "yes", "date": "2026-01-15", "list": "one"}.get(spec.type, "as the person wrote it")


def _names_of(dialect: Dialect) -> dict[str, str]:
    """Our field to the name that the dialect gives it first."""
    found: dict[str, str] = {}
    for name, target in dialect.written.items():
        found.setdefault(target, name)
    return found


def _line(name: str, spec: FieldSpec, names: Mapping[str, str], section: str) -> Line:
    ours = section + name
    limits = (("at least", spec.minimum), ("at most", spec.maximum))
    bounds = [f"{word} {bound:,.10g}" for word, bound in limits if bound is not None]
    if spec.type == "text":
        bounds.append(f"at most {spec.max_length:,} characters")
    return Line(
        name=names.get(ours, ours if not names else name if section else ours),
        field=ours,
        title=spec.title,
        type=spec.type,
        required=spec.required,
        ping=not spec.personal and section != "consent.",
        choices=tuple(choice.value for choice in spec.choices),
        aliases=spec.aliases,
        says=". ".join(part for part in (spec.hint.rstrip("."), ", ".join(bounds).capitalize()) if part),
    )


def _path(door: Door, source: Source) -> str:
    path, number = door.path, 0
    while "*" in path:
        number += 1
        path = path.replace("*", quote(source.dialect.credentials.get(f"path.{number}", PLACEHOLDER)), 1)
    return path


def _addresses(dialect: Dialect, source: Source) -> tuple[tuple[str, str, str], ...]:
    found = [_address(door, source) for door in dialect.doors]
    if _ours(dialect):
        found.append(("POST", "/v1/post", "the leads that follow, with the ping's id as ping_id, in our own format"))
    return tuple(found)


def _address(door: Door, source: Source) -> tuple[str, str, str]:
    modes = _modes(door)
    what = "pings" if modes == {"ping"} else "pings and leads" if "ping" in modes else "leads"
    return " or ".join(door.verbs), _path(door, source), f"{what} of callers on the line" if door.call else what


def _ours(dialect: Dialect) -> tuple[tuple[str, str], ...]:
    """What a source shows of itself where its leads come in at our own address, because the system has none for
    them."""
    if any("post" in _modes(door) for door in dialect.doors):
        return ()
    return (("header.authorization", f"Bearer {PLACEHOLDER}"),)


def _credentials(dialect: Dialect, source: Source) -> tuple[tuple[str, str], ...]:
    """What the source shows of itself. The source's own key stands in the first place where one is looked for."""
    if source.dialect.hash:
        return tuple(
            (name, source.dialect.credentials.get(name, PLACEHOLDER))
            for name in dialect.credentials
            if not name.startswith("path.")
        )
    key = next((name for name in dialect.keys if not name.startswith("path.")), "header.authorization")
    if key == "header.authorization":
        return (("header.authorization", f"Bearer {PLACEHOLDER}"),)
    return ((key, PLACEHOLDER),)


def _samples(dialect: Dialect, source: Source, vertical: Vertical, codes: Mapping[str, str]) -> list[Sample]:
    doors = {
        "ping": next((door for door in dialect.doors if "ping" in _modes(door)), None),
        "post": next((door for door in dialect.doors if "post" in _modes(door)), None),
    }
    found = []
    if doors["post"] is not None:
        found.append(_sample(dialect, source, vertical, codes, doors["post"], "A whole lead, as a test", ping=False))
    if doors["ping"] is not None:
        found.append(_sample(dialect, source, vertical, codes, doors["ping"], "A ping", ping=True))
    return found


def _modes(door: Door) -> set[str]:
    return {door.mode.default, *door.mode.values.values()}


def _sample(
    dialect: Dialect,
    source: Source,
    vertical: Vertical,
    codes: Mapping[str, str],
    door: Door,
    title: str,
    *,
    ping: bool,
) -> Sample:
    names = _names_of(dialect)
    headers: dict[str, str] = {}
    sent: dict[str, str] = {}
    for name, value in _credentials(dialect, source):
        if name.startswith("header."):
            headers[name.removeprefix("header.")] = value
        else:
            sent[name] = value
    if dialect.vertical:
        sent[dialect.vertical[0]] = codes.get(vertical.name, vertical.name)
    elif len(source.verticals) > 1:
        sent["vertical"] = vertical.name
    for ours, value in example_values(vertical, ping=ping).items():
        sent.setdefault(names.get(ours, ours.rpartition(".")[2]), value)
    sent |= {name: value for name, value in dialect.example.items() if name not in dialect.credentials}
    for name in door.mode.by:
        meant = next((said for said, mode in door.mode.values.items() if mode == "ping"), None) if ping else None
        if meant is not None:
            sent[name] = meant
    if dialect.sends == "json":
        headers = {**headers, "Content-Type": "application/json"}
        body = json.dumps(_nested(sent), indent=2, ensure_ascii=False)
    else:
        headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(sent)
    form = form_of(
        dialect,
        {fold(name): value for name, value in sent.items()},
        {name.lower(): value for name, value in headers.items()},
    )
    told = [(says, _of_a_call(said, ping) if door.call else said) for says, said in (_PING_SAID if ping else _SAID)]
    answers = tuple((says, _shown(speak(dialect, form, said))) for says, said in told)
    return Sample(title, "POST" if "POST" in door.verbs else "GET", _path(door, source), headers, body, answers)


def _of_a_call(said: Said, ping: bool) -> Said:
    """What is said of a caller who is on the line."""
    if said.outcome in ("sold", "bid"):
        said = replace(said, call_number="+18005550111", call_seconds=90, expires_in=60)
    return replace(said, outcome=f"call_{said.outcome}") if ping else said


def _shown(spoken: Spoken) -> str:
    text = spoken.body.decode()
    if "json" in spoken.media_type:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if spoken.status == 200 else f"HTTP {spoken.status}\n{text}"


def _nested(sent: Mapping[str, str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, value in sent.items():
        *path, last = name.split(".")
        place = root
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return root
