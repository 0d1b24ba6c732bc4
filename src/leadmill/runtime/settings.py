"""The settings of a running program: options over the environment over the defaults.

Read once in ``main``'s commands and handed on as a value; nothing looks them up globally. ``docs/settings.md`` is made from
:data:`DESCRIPTIONS`, so a setting that is not described there does not exist.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from leadmill.core.faults import BadInput

PREFIX = "LEADMILL_"

_READ_ELSEWHERE = frozenset({"LEADMILL_MASTER_KEY"})
"""Variables that another module reads itself, because they are secrets."""


class Settings(Struct, frozen=True, kw_only=True):
    """Where the program lives and what it may do; :data:`DESCRIPTIONS` says what each means."""

    home: Path = Path(".leadmill")
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    public_url: str = ""
    connections: int = 10
    log_level: str = "info"
    packs: tuple[Path, ...] = ()
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_secret: str = ""
    smtp_tls: Literal["starttls", "implicit", "none"] = "starttls"
    mail_from: str = "leadmill@localhost"
    allow_loopback: bool = True
    allow_private: bool = False


DESCRIPTIONS: dict[str, str] = {
    "home": "Folder of the embedded database, the keys, uploads and dropped files.",
    "database_url": "Another PostgreSQL (15 or newer) instead of the embedded one.",
    "host": "Address that `serve` listens on.",
    "port": "Port that `serve` listens on; 0 takes a free one.",
    "workers": "Web processes that `serve` starts.",
    "public_url": "Address that the outside knows the program by; HTTPS here makes cookies HTTPS-only.",
    "connections": "Database connections a process holds at most.",
    "log_level": "debug, info, warning or error.",
    "packs": "Folders with packs of your own, separated by colons; a pack replaces the built-in one of its name.",
    "smtp_host": "Mail relay; without one no e-mail is sent.",
    "smtp_port": "The relay's port.",
    "smtp_user": "User name at the relay, where it asks for one.",
    "smtp_secret": "Name of the environment variable that holds the relay's password.",
    "smtp_tls": "`starttls`, `implicit` or `none`.",
    "mail_from": "Sender of messages that name none.",
    "allow_loopback": "Whether configured addresses may be on this machine (127.0.0.0/8, ::1).",
    "allow_private": "Whether they may be in private networks.",
}
"""What each setting means, by name; the variable is the name in capitals behind ``LEADMILL_``."""

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_LEVELS = ("debug", "info", "warning", "error")
_TLS = ("starttls", "implicit", "none")


def read_settings(environ: Mapping[str, str], **given: Any) -> Settings:
    """The settings: ``given`` (a command's options) over the environment over the defaults.

    Raises :class:`BadInput` ``settings.value.malformed`` naming the variable and what it may be.
    """
    chosen: dict[str, Any] = {}
    for name in DESCRIPTIONS:
        text = environ.get(PREFIX + name.upper())
        if text is not None and text != "":
            chosen[name] = _read(name, text)
    chosen.update({name: value for name, value in given.items() if value is not None})
    settings = Settings(**chosen)
    _check(settings)
    return msgspec.structs.replace(settings, home=Path(settings.home).expanduser().resolve())


def unknown(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each ``LEADMILL_…`` variable that means nothing, with the nearest that does."""
    known = {PREFIX + name.upper() for name in DESCRIPTIONS} | _READ_ELSEWHERE
    told = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            told.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return told


def _read(name: str, text: str) -> Any:
    default = getattr(Settings(), name)
    if isinstance(default, bool):
        low = text.strip().lower()
        if low not in _TRUE + _FALSE:
            raise _wrong(name, "true or false")
        return low in _TRUE
    if isinstance(default, int):
        if not text.strip().isdigit():
            raise _wrong(name, "a whole number")
        return int(text)
    if name == "packs":
        return tuple(Path(part) for part in text.split(":") if part)
    return Path(text) if isinstance(default, Path) else text


def _check(settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        raise _wrong("port", "0 to 65535")
    if not 1 <= settings.workers <= 64:
        raise _wrong("workers", "1 to 64")
    if not 2 <= settings.connections <= 200:
        raise _wrong("connections", "2 to 200")
    if settings.log_level not in _LEVELS:
        raise _wrong("log_level", ", ".join(_LEVELS))
    if settings.smtp_tls not in _TLS:
        raise _wrong("smtp_tls", ", ".join(_TLS))


def _wrong(name: str, may_be: str) -> BadInput:
    return BadInput("settings.value.malformed", f"{PREFIX}{name.upper()} must be {may_be}")
