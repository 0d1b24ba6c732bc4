"""The settings: what a person may choose about a running program.

Read once by each command, from its options, then the environment, then the defaults; handed on as a value, never
looked up elsewhere. Each setting has its meaning in its type's description, from which ``docs/settings.md`` is
written. Secrets are no settings: they stay in the environment, and what needs one names it.
"""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from leadmill.core.faults import BadInput, FieldFault
from leadmill.core.reading import nearest
from leadmill.runtime.packs import BUILT_IN
from leadmill.runtime.telemetry import log

PREFIX = "LEADMILL_"

SECRETS = {
    "MASTER_KEY": "The key under which personal data is sealed, 32 bytes as hex or base64. Unset: `master.key` in the "
    "home, made at the first start.",
    "NEW_MASTER_KEY": "The key that `leadmill key rotate-master` goes over to. Unset: a fresh one.",
    "BACKUP_PASSPHRASE": "What locks the master key in a backup made `--with-keys`. Unset: it is asked for.",
}
"""Variables that are read where they are needed and are no settings."""

_OWN = ("TEST_ROOT", "SETUP_LOCKED")  # of the test suite and the set-up script

Tls = Literal["none", "starttls", "implicit"]


class Settings(Struct, frozen=True, kw_only=True):
    """What a person may choose. The name in capitals behind ``LEADMILL_`` is the variable; the commands' options of
    the same names come before it."""

    home: Annotated[Path, Meta(description="Folder of the embedded database, the keys and dropped files.")] = Path(
        ".leadmill"
    )
    database_url: Annotated[
        Annotated[str, Meta(pattern=r"^postgres(ql)?://")] | None,
        Meta(description="Another PostgreSQL (15 or newer) instead of the embedded one."),
    ] = None
    connections: Annotated[int, Meta(ge=2, le=1000, description="Database connections each process may hold.")] = 10
    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 8080
    workers: Annotated[int, Meta(ge=1, le=64, description="Web processes.")] = 1
    import_processes: Annotated[
        int, Meta(ge=1, le=64, description="Processes that `leadmill import` walks a large file with.")
    ] = 2
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="How much is logged to standard error.")
    ] = "info"
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s]+[^\s]*)?$",
            description="Where the world reaches this program, for links and forms. Unset: the address listened on.",
        ),
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(
            description="Addresses of proxies in front of this program, parted by commas. What they say of the "
            "caller's address (`X-Forwarded-For`, `X-Forwarded-Proto`) is believed; nobody else is."
        ),
    ] = ""
    market_quote_seconds: Annotated[
        int, Meta(ge=1, le=3600, description="Seconds that a price quoted to a ping holds.")
    ] = 60
    market_shadow_prices: Annotated[
        bool,
        Meta(
            description="Whether leads go to their best use over the day, by shadow prices that are solved every "
            "fifteen minutes; without, each goes to whoever pays most."
        ),
    ] = True
    auction_ms: Annotated[
        int,
        Meta(
            ge=100,
            le=30_000,
            description="Milliseconds from a lead's arrival in which buyers are asked for bids and, where they take "
            "leads while the source waits, tried.",
        ),
    ] = 1500
    post_rounds: Annotated[
        int,
        Meta(ge=1, le=20, description="Buyers in a row that may decline a lead while its source waits."),
    ] = 4
    ping_ip: Annotated[
        Literal["masked", "full", "none"],
        Meta(
            description="What a ping to a buyer shows of the person's network address: its network alone (`/24`, "
            "`/48`), all of it, or nothing."
        ),
    ] = "masked"
    pings_per_minute: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Pings a minute that a source may send where it declares no rate of its own; 0 for any number.",
        ),
    ] = 3000
    smtp_host: Annotated[str, Meta(description="Mail server to hand messages to. Unset: no mail is sent.")] = ""
    smtp_port: Annotated[int, Meta(ge=1, le=65535, description="Port of the mail server.")] = 587
    smtp_tls: Annotated[
        Literal["auto", "none", "starttls", "implicit"],
        Meta(
            description="How the connection to the mail server is sealed. `auto`: `implicit` on port 465, `none` to "
            "this machine, else `starttls`."
        ),
    ] = "auto"
    smtp_user: Annotated[str, Meta(description="User name at the mail server, where it asks for one.")] = ""
    smtp_secret: Annotated[
        str, Meta(description="Name of the variable that holds the mail server's password, where it asks for one.")
    ] = ""
    mail_from: Annotated[str, Meta(min_length=3, description="Sender of messages that name none.")] = (
        "Leadmill <leadmill@localhost>"
    )
    allow_loopback: Annotated[
        bool, Meta(description="Whether outgoing calls may reach this machine, as the demo's buyers need.")
    ] = True
    allow_private: Annotated[
        bool, Meta(description="Whether outgoing calls may reach private networks, such as `10.0.0.0/8`.")
    ] = False
    allow_plain: Annotated[
        bool, Meta(description="Whether outgoing calls may reach public addresses over plain HTTP.")
    ] = False
    allow_networks: Annotated[
        str,
        Meta(
            description="Private networks that outgoing calls may reach, and no others, where `allow_private` is off: "
            "such as `10.1.0.0/16`, parted by commas."
        ),
    ] = ""
    erasure_log: Annotated[
        str,
        Meta(
            description="File in which is written who was forgotten when, for restores; best where the backups are. "
            "Unset: `erasures.log` in the home."
        ),
    ] = ""
    mx_lookups: Annotated[
        bool,
        Meta(description="Whether name servers are asked if a lead's mail domain takes mail. Only the domain is told."),
    ] = True
    mx_ms: Annotated[
        int, Meta(ge=20, le=10_000, description="Milliseconds that a lead waits for that at most, where nobody knows.")
    ] = 400
    dns_servers: Annotated[
        str,
        Meta(
            description="Name servers to ask instead of the system's: addresses parted by commas, each perhaps with "
            "its port behind an `@`."
        ),
    ] = ""
    ip_files: Annotated[
        str,
        Meta(
            description="Files of MaxMind's format by which IP addresses are placed (cities, networks, anonymous "
            f"addresses), parted by `{os.pathsep}`. Unset: where an address is stays unknown."
        ),
    ] = ""
    second_factor: Annotated[
        str,
        Meta(
            description="Roles whose people must show a second factor to sign in, parted by commas: "
            "`admin,compliance` is a good choice. Unset: whoever has set one up is asked for it, nobody must."
        ),
    ] = ""
    oidc_issuer: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s]+[^\s]*)?$",
            description="Another house that signs people in (OpenID Connect): its address, as it names itself.",
        ),
    ] = ""
    oidc_client_id: Annotated[str, Meta(description="What that house calls this program.")] = ""
    oidc_secret: Annotated[
        str, Meta(description="Name of the variable that holds the client's secret, where it has one.")
    ] = ""
    oidc_label: Annotated[str, Meta(min_length=1, max_length=60, description="What the button to it says.")] = (
        "your organisation"
    )
    oidc_domains: Annotated[
        str, Meta(description="Mail domains whose people may come in that way, parted by commas.")
    ] = ""
    oidc_claim: Annotated[str, Meta(min_length=1, description="The claim that holds a person's groups.")] = "groups"
    oidc_roles: Annotated[
        str,
        Meta(
            description="Which group gives which role, `group=role` parted by commas, the first that fits; the group "
            "`*` is everybody. `admin` cannot be given so."
        ),
    ] = ""
    oidc_scopes: Annotated[str, Meta(min_length=6, description="What that house is asked for.")] = (
        "openid email profile"
    )
    packs: Annotated[
        tuple[Path, ...],
        Meta(
            description=f"Folders of packs beside the built-in ones, parted by `{os.pathsep}`; a pack replaces the "
            "one of its name before it."
        ),
    ] = (BUILT_IN,)

    @property
    def ip_paths(self) -> tuple[Path, ...]:
        """The files of IP addresses."""
        return tuple(Path(part).expanduser() for part in self.ip_files.split(os.pathsep) if part.strip())

    @property
    def erasure_path(self) -> Path | None:
        """The file of the log of erasures, None where it lies in the home."""
        return Path(self.erasure_log).expanduser() if self.erasure_log.strip() else None

    @property
    def mail_tls(self) -> Tls:
        """How the mail server's connection is sealed, ``auto`` decided."""
        if self.smtp_tls != "auto":
            return self.smtp_tls
        if self.smtp_port == 465:
            return "implicit"
        return "none" if _is_this_machine(self.smtp_host) else "starttls"


_KINDS = get_type_hints(Settings, include_extras=True)


def read_settings(environ: Mapping[str, str], **chosen: Any) -> Settings:
    """The settings: ``chosen`` (a command's options, None meaning not given) over the environment over the defaults.

    An empty variable counts as unset. Unknown ``LEADMILL_…`` variables are warned about. Raises :class:`BadInput`
    ``config.setting.malformed`` with an entry for each setting that cannot be used; values are not repeated, for
    an address may hold a password.
    """
    for name in unknown_variables(environ):
        known = [PREFIX + key.upper() for key in (*_KINDS, *SECRETS)]
        log("settings").warning(f"{name} is no setting: {nearest(name, known)}")
    values: dict[str, Any] = {}
    faults: list[FieldFault] = []
    for name, kind in _KINDS.items():
        given = chosen.get(name)
        text = environ.get(PREFIX + name.upper(), "").strip()
        if given is None and not text:
            continue
        try:
            values[name] = _read(name, text if given is None else given, kind)
        except msgspec.ValidationError as fault:
            place = PREFIX + name.upper() if given is None else f"--{name.replace('_', '-')}"
            faults.append(FieldFault(f"/{name}", "config.setting.malformed", f"{place}: {_says(fault)}"))
    if faults:
        raise BadInput("config.setting.malformed", "; ".join(fault.detail for fault in faults), faults)
    settings = Settings(**values)
    return msgspec.structs.replace(
        settings,
        home=settings.home.expanduser().absolute(),
        public_url=settings.public_url.rstrip("/"),
    )


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none; usually a slip of the pen."""
    known = {name.upper() for name in _KINDS} | set(SECRETS) | set(_OWN)
    return sorted(name for name in environ if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known)


def reference() -> str:
    """The page ``docs/settings.md``."""
    defaults = Settings()
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, kind in _KINDS.items():
        value = _shown(name, getattr(defaults, name))
        meaning = _meta(kind).description or ""
        allowed = get_args(_bare(kind)) if _is_choice(kind) else ()
        choice = f" One of {', '.join(f'`{one}`' for one in allowed)}." if allowed else ""
        lines.append(f"| `{PREFIX}{name.upper()}` | {value} | {meaning}{choice} |")
    lines += [f"| `{PREFIX}{name}` | (secret) | {meaning} |" for name, meaning in SECRETS.items()]
    return _PAGE.format(table="\n".join(lines))


_PAGE = """# Settings

Every setting is a variable of the environment; `leadmill serve` and the other commands also take the common ones as
options (`--home`, `--database-url`, `--host`, `--port`, `--workers`), which come first. An empty variable counts as
unset. A variable that begins with `LEADMILL_` and is not listed here is warned about at the start.

This page is written from `leadmill.runtime.settings`.

{table}

Secrets that are named elsewhere (`{{ env = "NAME" }}` in a declaration, `LEADMILL_SMTP_SECRET`) may have any name;
best one that does not begin with `LEADMILL_`.

The embedded PostgreSQL chooses its own settings by the machine's memory at every start. Put others into `local.conf` in
`postgres/data` of the home; it is read last.
"""


def _read(name: str, given: Any, kind: Any) -> Any:
    if name == "packs":
        parts = given.split(os.pathsep) if isinstance(given, str) else given
        return (BUILT_IN, *(Path(part).expanduser().absolute() for part in parts if str(part)))
    if isinstance(given, str) and _bare(kind) is bool and given.lower() in _WORDS:
        return _WORDS[given.lower()]
    return msgspec.convert(given, kind, strict=False, dec_hook=_hook)


_WORDS = {"yes": True, "on": True, "no": False, "off": False}


def _hook(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str | Path):
        if isinstance(value, str) and not value.strip():
            raise msgspec.ValidationError("names no folder; write . for the one you are in")
        return Path(value)
    raise msgspec.ValidationError("must be a path")


def _says(fault: msgspec.ValidationError) -> str:
    """What is expected, without the value that was given."""
    text = str(fault)
    if "enum value" in text:
        return "not one of the allowed words"
    if "regex" in text:
        return "not an address of the expected form"
    return text.partition(" - at")[0].lower().replace("`", "")


def _bare(kind: Any) -> Any:
    return get_args(kind)[0]


def _meta(kind: Any) -> Meta:
    found = get_args(kind)[1]
    if not isinstance(found, Meta):
        raise TypeError("a setting without a description")
    return found


def _is_choice(kind: Any) -> bool:
    return all(isinstance(one, str) for one in get_args(_bare(kind))) and bool(get_args(_bare(kind)))


def _shown(name: str, value: Any) -> str:
    if name == "packs" or value in (None, ""):
        return "(unset)"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`./{value}`" if isinstance(value, Path) else f"`{value}`"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
