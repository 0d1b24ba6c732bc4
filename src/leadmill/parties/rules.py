"""Reading the parties from configuration, and the pure rules about them.

Called by ``flow.configure`` with the tables of a TOML file and by whoever builds a :class:`Roster`. Every reader is
strict: an unknown key is refused with the nearest known one, and the message says which record it stands in."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal, NoReturn, TypeVar, cast, get_args

import msgspec

from leadmill.core.faults import BadInput
from leadmill.core.reading import Table
from leadmill.parties.crew import check_skills, read_mailbox, read_needs, read_rep, read_where
from leadmill.parties.model import (
    Alert,
    Buyer,
    BuyerKind,
    Contract,
    Credit,
    Hook,
    KnownPeople,
    Licence,
    Roster,
    Source,
    Speech,
    Team,
)
from leadmill.parties.papers import read_demands, read_ownership, read_trusts
from leadmill.parties.payouts import read_payout
from leadmill.parties.requirements import read_requirement
from leadmill.parties.words import Came

_PROFILE = Literal["hmac-sha256", "sha256", "sha1", "md5"]
_PHONE_FORM = Literal["e164", "digits", "national"]
_SECRET_KEYS = frozenset({"secret", "password", "token", "api_key"})


# Sources, buyers, teams


def read_source(raw: object) -> Source:
    """A ``[[source]]`` table. Its ``key`` is read apart, by :func:`key_reference`. Raises :class:`BadInput`
    ``config.record.malformed``."""
    table = _record(raw, "source")
    currency = table.currency()
    source = Source(
        id=table.name(),
        name=table.text("name"),
        verticals=table.texts("verticals"),
        payout=read_payout(table, currency),
        floor=table.money("floor", currency) if table.has("floor") else None,
        shared_floor=table.money("shared_floor", currency) if table.has("shared_floor") else None,
        min_margin=table.money("min_margin", currency) if table.has("min_margin") else None,
        min_margin_rate=table.rate("min_margin_rate") if table.has("min_margin_rate") else None,
        page="comparison" if table.choice("page", ("form", "comparison"), "form") == "comparison" else "form",
        currency=currency,
        terms=table.text("terms", ""),
        exclude=table.texts("exclude", ()),
        pings_per_minute=table.whole("pings_per_minute", most=1_000_000) if table.has("pings_per_minute") else None,
        dialect=_dialect(table),
        answer_secret=_secret_name(table, "answer_secret") if table.has("answer_secret") else None,
        key_expires=_key(table),
        retired=table.flag("retired", False),
        came=cast(Came, table.choice("came", get_args(Came), "publisher_form")),
        certifies=read_trusts(table),
        open_complaints=table.whole("open_complaints", most=1_000_000) if table.has("open_complaints") else None,
    )
    table.close()
    if not source.verticals:
        table.refuse("must name at least one vertical", "verticals")
    return source


def _dialect(table: Table) -> Speech:
    """The ``dialect`` of a source: its name alone, or a table with the credentials its programs send."""
    if not table.has("dialect"):
        return Speech()
    raw = table.value("dialect")
    if isinstance(raw, str):
        return Speech(name=table.name("dialect"))
    inner = Table(raw, f"{table.where}, dialect")
    credentials = inner.value("credentials", {})
    if not isinstance(credentials, Mapping):
        inner.refuse("must be a table", "credentials")
    for name, value in credentials.items():
        if isinstance(value, Mapping):
            _secret_name(Table(credentials, f"{inner.where}, credentials"), str(name))
        elif not isinstance(value, str) or not value.strip() or len(value) > 200:
            inner.refuse('must be texts, or { env = "NAME" } where they are secret', "credentials")
    verticals = inner.value("verticals", {})
    if not isinstance(verticals, Mapping) or not all(isinstance(value, str) for value in verticals.values()):
        inner.refuse("must be a table from their codes to our verticals", "verticals")
    found = Speech(
        name=inner.name("name"),
        credentials={str(name): value for name, value in credentials.items() if isinstance(value, str)},
        verticals={str(code): str(name) for code, name in verticals.items()},
        hash=inner.text("hash", ""),
    )
    inner.close()
    return found


def read_buyer(raw: object) -> Buyer:
    """A ``[[buyer]]`` table. Raises :class:`BadInput` ``config.record.malformed``, and ``config.secret.literal``
    where the delivery holds a secret itself rather than the name of its environment variable."""
    table = _record(raw, "buyer")
    currency = table.currency()
    buyer = Buyer(
        id=table.name(),
        name=table.text("name"),
        zip=table.text("zip", ""),
        brands=table.texts("brands", ()),
        kind=cast(BuyerKind, table.choice("kind", get_args(BuyerKind), "lead_buyer")),
        licences=tuple(
            _licence(item, f"{table.where}, licences[{no}]") for no, item in enumerate(table.tables("licences"))
        ),
        contract=_contract(table),
        credit=_credit(table, currency),
        currency=currency,
        delivery=_delivery(table),
        vetted=table.flag("vetted", True),
        certifies_use=table.flag("certifies_use", True),
        alert=_alert(table),
        known=_known(table),
        optouts=_hook(table, "optouts"),
        key_expires=_key(table),
        retired=table.flag("retired", False),
        demands=read_demands(table),
        ownership=read_ownership(table),
        require=read_requirement(table),
        clears_conflicts=table.flag("clears_conflicts") if table.has("clears_conflicts") else None,
    )
    table.close()
    return buyer


def _known(table: Table) -> KnownPeople | None:
    if not table.has("known"):
        return None
    inner = Table(table.value("known"), f"{table.where}, known")
    profile = inner.choice("profile", get_args(_PROFILE), "hmac-sha256")
    keyed = profile == "hmac-sha256"
    known = KnownPeople(
        profile=cast(_PROFILE, profile),
        key_env=_secret_name(inner, "key") if keyed else "",
        # What the older systems hash is the ten digits.
        phone_form=cast(_PHONE_FORM, inner.choice("phone", get_args(_PHONE_FORM), "e164" if keyed else "national")),
    )
    inner.close()
    return known


def _hook(table: Table, key: str) -> Hook | None:
    if not table.has(key):
        return None
    inner = Table(table.value(key), f"{table.where}, {key}")
    hook = Hook(inner.text("url"), _secret_name(inner, "secret"))
    inner.close()
    if not hook.url.startswith(("https://", "http://")):
        table.refuse("must hold an address that begins with https:// or http://", key)
    return hook


def _secret_name(table: Table, key: str) -> str:
    given = table.value(key)
    name = given.get("env") if isinstance(given, Mapping) and set(given) == {"env"} else None
    if not isinstance(name, str) or not name:
        table.refuse('write { env = "NAME" }; secrets do not stand in files', key)
    return name


def _licence(raw: object, where: str) -> Licence:
    table = Table(raw, where)
    states = (table.text("state"),) if table.has("state") else table.texts("states")
    licence = Licence(
        kind=table.text("kind"),
        number=table.text("number"),
        states=tuple(state.upper() for state in states),
        expires=table.day("expires", None),
        lines=table.texts("lines", ()),
        licence_class=table.text("class", ""),
        active=table.flag("active", True),
        checked=table.day("checked", None),
    )
    table.value("states", None)
    table.close()
    if not all(len(state) == 2 and state.isalpha() for state in licence.states):
        table.refuse("write states as two letters", "states")
    return licence


def _contract(table: Table) -> Contract | None:
    if not table.has("contract"):
        return None
    inner = Table(table.value("contract"), f"{table.where}, contract")
    signed = inner.day("signed")
    if signed is None:
        inner.refuse("is missing", "signed")
    contract = Contract(signed, inner.flag("privacy_terms", False), inner.day("ends", None))
    inner.close()
    return contract


def _credit(table: Table, currency: str) -> Credit:
    if not table.has("credit"):
        return Credit()
    inner = Table(table.value("credit"), f"{table.where}, credit")
    mode = inner.choice("mode", ("prepay", "invoice"))
    if mode == "prepay":
        credit = Credit("prepay", balance=inner.money("balance", currency))
    else:
        credit = Credit("invoice", limit=inner.money("limit", currency) if inner.has("limit") else None)
    inner.close()
    return credit


def _delivery(table: Table) -> dict[str, Any]:
    raw = table.value("delivery", {})
    if not isinstance(raw, dict):
        table.refuse("must be a table", "delivery")
    _no_literal_secrets(raw, f"{table.where}, delivery")
    return cast(dict[str, Any], msgspec.to_builtins(raw))


def _no_literal_secrets(raw: Mapping[str, Any], where: str) -> None:
    for key, value in raw.items():
        if isinstance(value, Mapping):
            _no_literal_secrets(value, f"{where}.{key}")
        elif key in _SECRET_KEYS and isinstance(value, str):
            raise BadInput(
                "config.secret.literal", f'{where}.{key}: write {{ env = "NAME" }}; secrets do not stand in files'
            )


def read_team(raw: object) -> Team:
    """A ``[[team]]`` table. Raises :class:`BadInput` ``config.record.malformed`` or ``config.predicate.malformed``."""
    table = _record(raw, "team")
    currency = table.currency()
    team = Team(
        id=table.name(),
        name=table.text("name"),
        verticals=table.texts("verticals", ()),
        where=read_where(table),
        priority=table.whole("priority", 100, least=1, most=1000),
        reps=tuple(read_rep(item, f"{table.where}, reps[{no}]") for no, item in enumerate(table.tables("reps"))),
        needs=read_needs(table),
        delivery=_delivery(table),
        alert=_alert(table),
        retired=table.flag("retired", False),
        worth=table.money("worth", currency) if table.has("worth") else None,
    )
    table.close()
    ids = [rep.id for rep in team.reps]
    if len(set(ids)) < len(ids):
        table.refuse("names a rep twice", "reps")
    check_skills(table, team)
    return team


def _alert(table: Table) -> Alert | None:
    if not table.has("alert"):
        return None
    inner = Table(table.value("alert"), f"{table.where}, alert")
    alert = Alert(read_mailbox(inner, "email"))
    inner.close()
    return alert


def _record(raw: object, kind: str) -> Table:
    name = raw.get("id") if isinstance(raw, Mapping) else None
    return Table(raw, f"{kind} {name}" if isinstance(name, str) and name else kind)


def _key(table: Table) -> date | None:
    """Mark ``key`` as read (its secret is taken by :func:`key_reference`) and read when it expires."""
    table.value("key", None)
    return table.day("key_expires", None)


def key_reference(raw: Mapping[str, Any], where: str, environ: Mapping[str, str]) -> str | None:
    """The API key that a source's or buyer's table gives: a text, or ``{ env = "NAME" }`` looked up in ``environ``.

    None where it gives none. Raises :class:`BadInput` ``config.secret.unset`` where the variable is missing or empty,
    and ``config.record.malformed`` for anything else or for a key shorter than 8 characters."""
    found = raw.get("key")
    if found is None:
        return None
    if isinstance(found, Mapping):
        table = Table(found, f"{where}, key")
        name = table.text("env")
        table.close()
        found = environ.get(name, "")
        if not found:
            raise BadInput("config.secret.unset", f"{where}, key: set the environment variable {name}")
    if not isinstance(found, str) or not 8 <= len(found) <= 200 or not found.isascii() or not found.isprintable():
        _refuse(f'{where}, key: must be {{ env = "NAME" }} or a text of 8 to 200 plain characters')
    return found


def _refuse(says: str) -> NoReturn:
    raise BadInput("config.record.malformed", says)


# The roster

P = TypeVar("P", Source, Buyer, Team)


def build_roster(documents: Mapping[tuple[str, str], str]) -> Roster:
    """The roster from stored documents by (kind, id); other kinds and the retired are passed over.

    A document is the table as it was declared, with ``key_hash`` (hex) where ``key`` stood.
    """
    return Roster(
        _in_play(documents, "source", read_source),
        _in_play(documents, "buyer", read_buyer),
        _in_play(documents, "team", read_team),
    )


def _in_play(documents: Mapping[tuple[str, str], str], wanted: str, read: Callable[[object], P]) -> dict[str, P]:
    found: dict[str, P] = {}
    for (kind, ident), body in documents.items():
        if kind != wanted:
            continue
        raw: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
        key_hash = raw.pop("key_hash", None)
        party = read(raw)
        if not party.retired:
            found[ident] = party if key_hash is None else msgspec.structs.replace(party, key_hash=key_hash)
    return found
