"""Configuration as code: files of TOML become records, all of them or none.

Called by ``leadmill apply``, by the console for one record at a time, and by replay for a what-if. A record is
replaced whole by what a file says of it; records no file mentions stay as they are; ``retired = true`` takes one out
of play. Every mistake of every file is reported at once, with the place it stands in. Applying the same files again
changes nothing."""

import math
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec

from leadmill.capture import Vertical, read_verticals
from leadmill.core.faults import BadInput, TooLarge
from leadmill.core.ids import Mint
from leadmill.core.reading import nearest
from leadmill.flow import enriching, rating, standing
from leadmill.flow.changes import Difference, RecordChange, What
from leadmill.flow.explaining import explained
from leadmill.flow.planning import Declared, Plan, decode, plan, retires
from leadmill.flow.rules import NO_DIALECTS, Dialects, Rules
from leadmill.flow.tiering import check_prices
from leadmill.market import recount_limits
from leadmill.parties import Buyer, Credit, KeyedHash, Roster, Source, declare_key
from leadmill.runtime import records
from leadmill.runtime.db import Database, Tx
from leadmill.runtime.packs import Packs
from leadmill.scoring import MODEL_KIND, Adjustment, CardRecord, ModelRecord, Scorecard, read_scorecards

KINDS = ("source", "buyer", "team", "order", "market", "form", *enriching.KINDS, *standing.KINDS, *rating.KINDS)
MAX_BYTES = 16 * 1024 * 1024
"""The largest file read."""

OnBuyer = Callable[[Tx, str, Credit, datetime, Mint], Awaitable[None]]
"""Told of each buyer that is new or has changed, inside the transaction: ``billing.open_account``."""

# Reading files


def read_files(paths: Iterable[Path]) -> list[Declared]:
    """The tables of TOML files. Raises :class:`BadInput` ``config.file.unreadable``, ``config.file.malformed`` (with
    the line) or ``config.table.unknown``, :class:`TooLarge` ``config.file.too_large``."""
    found: list[Declared] = []
    for path in paths:
        try:
            body = path.read_bytes()
        except OSError as fault:
            raise BadInput("config.file.unreadable", f"{path}: {fault.strerror or type(fault).__name__}") from fault
        found += read_text(body, path.name)
    return found


def read_text(body: bytes, name: str) -> list[Declared]:
    """The tables of one file's bytes; ``name`` is how messages call it. Raises as :func:`read_files`."""
    if len(body) > MAX_BYTES:
        raise TooLarge("config.file.too_large", f"{name}: at most {MAX_BYTES >> 20} MiB; split it")
    try:
        tables = tomllib.loads(body.decode())
    except UnicodeDecodeError as fault:
        line = body.count(b"\n", 0, fault.start) + 1
        raise BadInput("config.file.malformed", f"{name}: save it as UTF-8 (at line {line})") from fault
    except RecursionError as fault:
        raise BadInput("config.file.malformed", f"{name}: is nested too deep") from fault
    except tomllib.TOMLDecodeError as fault:
        raise BadInput("config.file.malformed", f"{name}: {fault}") from fault
    found: list[Declared] = []
    for kind, items in tables.items():
        if kind not in KINDS:
            raise BadInput("config.table.unknown", f"{name}: [[{kind}]] is not known; {nearest(kind, KINDS)}")
        if kind == "authority" and isinstance(items, dict):
            items = [{"id": field, "sources": sources} for field, sources in items.items()]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise BadInput("config.table.unknown", f"{name}: write [[{kind}]] in double brackets")
        found += [declare(kind, item, f"{name}#/{kind}/{place}") for place, item in enumerate(items)]
    return found


def declare(kind: str, raw: Mapping[str, Any], place: str) -> Declared:
    """A table as it will be stored: dates as ISO texts. Raises :class:`BadInput` ``config.record.malformed`` for
    values that no document can hold."""
    return Declared(kind, {key: _plain(value, place) for key, value in raw.items()}, place)


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner, place) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, place) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput("config.record.malformed", f"{place}: a number must be finite")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise BadInput("config.record.malformed", f"{place}: a number is too large")
    return value


# Applying


async def apply_files(
    db: Database,
    paths: Sequence[Path],
    *,
    author: str,
    now: datetime,
    mint: Mint,
    keyed_hash: KeyedHash,
    environ: Mapping[str, str],
    verticals: Mapping[str, Vertical],
    on_buyer: OnBuyer | None = None,
    dry_run: bool = False,
    dialects: Dialects = NO_DIALECTS,
    why: str = "",
) -> Difference:
    """Make everything as the files declare, in one transaction, and say what changed; with ``dry_run`` only say so.
    ``why`` is the reason of cards that change and say none of their own.

    Raises :class:`BadInput` as :func:`read_files`, :func:`explained` and :func:`plan` do; nothing stands then.
    """
    declared = read_files(paths)
    async with db.begin() as tx:
        declared = explained(declared, (await records.snapshot(tx)).documents, verticals, why)
        return await apply_declared(
            tx,
            declared,
            author=author,
            now=now,
            mint=mint,
            keyed_hash=keyed_hash,
            environ=environ,
            verticals=verticals,
            on_buyer=on_buyer,
            dry_run=dry_run,
            dialects=dialects,
        )


async def apply_declared(
    tx: Tx,
    declared: Sequence[Declared],
    *,
    author: str,
    now: datetime,
    mint: Mint,
    keyed_hash: KeyedHash,
    environ: Mapping[str, str],
    verticals: Mapping[str, Vertical],
    on_buyer: OnBuyer | None = None,
    dry_run: bool = False,
    dialects: Dialects = NO_DIALECTS,
) -> Difference:
    """Apply tables inside a transaction; see :func:`apply_files`. Others who apply wait until it ends."""
    if not dry_run:
        await records.wait_in_line(tx)
    found = await records.snapshot(tx)
    planned = plan(declared, found.documents, verticals, keyed_hash, environ, dialects)
    await _check_models(tx, planned, found, verticals, dialects)
    if dialects.untierable is not None:
        await check_prices(tx, planned, found, verticals, dialects.cards, dialects.untierable)
    if dry_run:
        changes = any(record.what is not What.UNCHANGED for record in planned.records)
        return Difference(found.revision + changes, True, planned.records)
    changes_made = [records.Change(kind, ident, body) for (kind, ident), body in planned.documents.items()]
    revision = await records.put(tx, changes_made, author, now)
    # Limits before accounts: whoever sells takes its locks in that order.
    await recount_limits(tx, _changed_ids(planned, "order"), _changed_ids(planned, "team"))
    for record in planned.records:
        if record.what is not What.UNCHANGED:
            await _follow(tx, planned, record, now, mint, on_buyer)
    return Difference(revision, False, planned.records)


async def _check_models(
    tx: Tx, planned: Plan, found: records.Snapshot, verticals: Mapping[str, Vertical], dialects: Dialects
) -> None:
    changed = [party for party in planned.parties.values() if isinstance(party, ModelRecord)]
    if changed:
        held = found.of(MODEL_KIND)
        after = held | {ident: body for (kind, ident), body in planned.documents.items() if kind == MODEL_KIND and body}
        before, standing = rating.models_of(held), rating.models_of(after)
        bars = dialects.unscorable, dialects.bounds
        await rating.check_models(tx, changed, standing, verticals, *bars, before)


def _changed_ids(planned: Plan, kind: str) -> list[str]:
    return [record.id for record in planned.records if record.kind == kind and record.what is not What.UNCHANGED]


async def _follow(
    tx: Tx, planned: Plan, record: RecordChange, now: datetime, mint: Mint, on_buyer: OnBuyer | None
) -> None:
    """What a changed party brings with it: its key, and a buyer's account. A retired party keeps its key, so that it
    is told why it is turned away and a buyer may still report on what it bought."""
    party = planned.parties.get((record.kind, record.id))
    document = planned.documents[record.kind, record.id]
    if isinstance(party, Source | Buyer) and document is not None:
        key_hash = decode(document).get("key_hash")
        await declare_key(
            tx,
            bytes.fromhex(key_hash) if key_hash else None,
            mint,
            kind="source" if isinstance(party, Source) else "buyer",
            owner=party.id,
            now=now,
            expires_at=_end_of(party.key_expires) if party.key_expires else None,
        )
    if isinstance(party, Buyer) and not party.retired and on_buyer is not None:
        await on_buyer(tx, party.id, party.credit, now, mint)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(days=1)


# What if


def changed_rules(given: Sequence[Declared], packs: Packs) -> Callable[[Rules], Rules]:
    """How rules would be under a file's tables: a function that puts these records in place of those in force and
    keeps the others. It raises :class:`BadInput` as :func:`plan` does. API keys play no part.
    """
    verticals, of_packs = read_verticals(packs), read_scorecards(packs)
    for item in given:
        if item.kind in (*enriching.KINDS, *standing.KINDS):
            why = "it decides no walk" if item.kind in standing.KINDS else "what providers said is heard as it was"
            says = f"{item.place}: {why}; leave it out"
            raise BadInput("config.change.unheard", says)
    declared = [Declared(item.kind, _keyless(item.raw), item.place) for item in given]
    return lambda rules: _changed(rules, declared, verticals, of_packs)


def _keyless(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in raw.items() if key != "key"}
    speech = found.get("dialect")
    if isinstance(speech, Mapping):
        found["dialect"] = {key: value for key, value in speech.items() if key != "credentials"}
    return found


def _changed(
    rules: Rules, declared: Sequence[Declared], verticals: Mapping[str, Vertical], of_packs: Mapping[str, Scorecard]
) -> Rules:
    roster = rules.roster
    sources, buyers, teams = dict(roster.sources), dict(roster.buyers), dict(roster.teams)
    orders, forms, markets = dict(rules.orders), dict(rules.forms), dict(rules.markets)
    cards, models = dict(rules.cards), rules.models
    books: dict[str, dict[str, Any]] = {
        "source": sources,
        "buyer": buyers,
        "team": teams,
        "order": orders,
        "form": forms,
        "market": markets,
        "scorecard": cards,
        "model": {},
        "adjustment": {},
    }
    leaving = [item for item in declared if retires(item.raw)]
    planned = plan(
        [item for item in declared if item not in leaving],
        _referred(roster),
        verticals,
        lambda purpose, text: b"",
        {},
        rules.dialects,
    )
    for (kind, ident), document in planned.documents.items():
        books[kind].pop(ident, None)
        party = planned.parties.get((kind, ident))
        if isinstance(party, ModelRecord):
            models = models.changed([party])
            continue
        if isinstance(party, Adjustment):
            rating.lay_over(cards, party)
            continue
        if isinstance(party, CardRecord):
            if (card := party.card or of_packs.get(ident)) is not None:
                over = rules.cards[ident].adjustments if ident in rules.cards else ()
                cards[ident] = msgspec.structs.replace(card, adjustments=over)
            continue
        if document is not None and party is not None and (kind == "order" or not getattr(party, "retired", False)):
            books[kind][ident] = party
    for item in leaving:
        if item.kind in rating.KINDS:
            models = rating.retire(cards, models, item.kind, item.id)
        elif books[item.kind].pop(item.id, None) is None:
            raise BadInput("config.record.unknown", f"there is no {item.kind} {item.id} to retire")
    kept: dict[str, Any] = {name: getattr(rules, name) for name in Rules.__slots__}
    return Rules(
        **{
            **kept,
            "roster": Roster(sources, buyers, teams),
            "orders": orders,
            "forms": forms,
            "markets": markets,
            "cards": cards,
            "models": models,
        }
    )


def _referred(roster: Roster) -> dict[tuple[str, str], str]:
    """As much of the parties in force as records refer to."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {("team", ident): {} for ident in roster.teams}
    found |= {("source", ident): {"verticals": source.verticals} for ident, source in roster.sources.items()}
    found |= {("buyer", ident): {"currency": buyer.currency} for ident, buyer in roster.buyers.items()}
    return {key: msgspec.json.encode(raw).decode() for key, raw in found.items()}
