"""Pages of HTML: templates, how values read on them, and the files they load.

Used by the console, the hosted forms and the API's documentation. It promises escaped output in which nothing
is invisible, links to static files that change with their content, and times in the reader's zone.
"""

import gzip
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup, escape

from leadmill.core.money import Money
from leadmill.interfaces.visible import visible

STATIC = Path(__file__).parent / "console" / "static"
"""What ``web/build.mjs`` makes: style sheets, scripts, the font."""

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".map": "application/json",
}


class StaticFile:
    """A file as it is sent, ``packed`` for whoever takes gzip. ``tag`` is the start of the SHA-256 of its bytes."""

    __slots__ = ("body", "kind", "packed", "tag")

    def __init__(self, body: bytes, kind: str) -> None:
        self.body = body
        self.kind = kind
        self.packed = None if kind.startswith("font/") else gzip.compress(body, 9, mtime=0)
        self.tag = hashlib.sha256(body).hexdigest()[:12]


def read_static(folder: Path = STATIC) -> dict[str, StaticFile]:
    """Every file of the folder by name; empty where the web assets were not built."""
    if not folder.is_dir():
        return {}
    return {
        path.name: StaticFile(path.read_bytes(), _KINDS[path.suffix])
        for path in sorted(folder.iterdir())
        if path.suffix in _KINDS
    }


class Pages:
    """Renders the templates of one folder. ``static`` are the files that ``asset`` links to."""

    def __init__(self, folder: Path, static: Mapping[str, StaticFile]) -> None:
        self._static = static
        self._env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            autoescape=True,
            finalize=_shown,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._env.globals["asset"] = self.asset
        self._env.filters.update(
            words=words, money=money, cash=cash, short=short, long=long, full=full, count=count, code=code
        )

    def asset(self, name: str) -> str:
        """The address of a static file, which changes when the file does."""
        found = self._static.get(name)
        # The font's address also stands in the style sheet, which cannot know a tag.
        return f"/static/{name}" if found is None or name.endswith(".woff2") else f"/static/{name}?v={found.tag}"

    def render(self, name: str, /, **values: Any) -> str:
        """A template, filled."""
        return self._env.get_template(name).render(values)


def _shown(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def words(text: object) -> str:
    """A name of ours as a person writes it: ``home-services`` as “Home services”."""
    plain = str(text).replace("_", " ").replace("-", " ").strip()
    return plain[:1].upper() + plain[1:]


def money(amount: int, currency: str | None = None) -> str:
    """Minor units as an amount."""
    return cash(Money(amount, currency or "USD"))


def cash(value: Money) -> str:
    """An amount with its thousands apart."""
    whole, dot, cents = Money(abs(value.amount), value.currency).decimal().partition(".")
    digits = f"{int(whole):,}{dot}{cents}"
    sign = "−" if value.amount < 0 else ""
    return f"{sign}${digits}" if value.currency == "USD" else f"{sign}{digits} {value.currency}"


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}"


def code(text: str) -> Markup:
    """A text of ours in which what stands between backticks is code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


@jinja2.pass_context
def short(context: jinja2.runtime.Context, at: datetime) -> str:
    """A moment in the reader's zone: today the time alone, else the day and the time."""
    here, now = _local(context, at), _local(context, context.get("now") or datetime.now(UTC))
    if here.date() == now.date():
        return f"{here:%H:%M:%S}"
    return f"{here:%b %d %H:%M}" if here.year == now.year else f"{here:%Y-%m-%d}"


@jinja2.pass_context
def long(context: jinja2.runtime.Context, at: datetime) -> str:
    """A moment in the reader's zone with its day."""
    return f"{_local(context, at):%b %d, %Y, %H:%M:%S}"


@jinja2.pass_context
def full(context: jinja2.runtime.Context, at: datetime) -> str:
    """A moment in the reader's zone and in UTC, to the millisecond."""
    here = _local(context, at)
    return f"{here:%Y-%m-%d %H:%M:%S %Z} · {at.astimezone(UTC).isoformat(timespec='milliseconds')}"


def zone(name: str | None) -> ZoneInfo:
    """The zone of this IANA name, UTC where there is none."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, OSError, ValueError):  # unknown names, and names that are paths
        return ZoneInfo("UTC")


def _local(context: jinja2.runtime.Context, at: datetime) -> datetime:
    found = context.get("zone")
    return at.astimezone(found if isinstance(found, ZoneInfo) else UTC)
