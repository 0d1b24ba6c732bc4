"""Changing how a vertical's leads are rated: its card's versions, going back to one, models and their places.

Called by ``leadmill scoring`` and by the console's page “Scores”. All of it goes through ``configure``, so that every
change is checked like a file's, and kept with who made it, when and why.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from msgspec import Struct

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import Mint
from leadmill.core.reading import nearest
from leadmill.flow.changes import Difference
from leadmill.flow.configure import apply_declared, declare, read_text
from leadmill.flow.model import Trial
from leadmill.flow.planning import Declared
from leadmill.flow.rating import models_of, tell_foreign
from leadmill.flow.rules import Rules
from leadmill.learning import pack_model, read_model
from leadmill.parties import KeyedHash
from leadmill.runtime import records
from leadmill.runtime.db import Tx
from leadmill.runtime.packs import Packs
from leadmill.scoring import (
    ADJUSTMENT,
    CARD_KIND,
    FORESEES,
    MODEL_KIND,
    TARGETS,
    ModelRecord,
    Scorecard,
    close_taken_up,
    keep_model,
    model_bodies,
    read_card,
    read_model_record,
    read_record,
)

FILE = "scorecard.toml"
_ABOUT = ("vertical", "why", "retired")


class Author(Struct, frozen=True):
    """Who changes something, when and why, and what the change is read with."""

    name: str
    at: datetime
    mint: Mint
    keyed_hash: KeyedHash
    rules: Rules


class CardVersion(Struct, frozen=True):
    """A card as it stood from a revision on. ``revision`` 0 is the pack's own; ``raw`` the tables of the card, and
    ``card`` the same as read; None of both where the house gave up its own card then, so that the pack's counted."""

    revision: int
    at: datetime | None
    author: str
    why: str
    card: Scorecard | None
    raw: Mapping[str, Any] | None


def pack_card(packs: Packs, vertical: str) -> Mapping[str, Any]:
    """The tables of the pack's own card; none where it has none. Raises NotFound ``scoring.vertical.unknown``."""
    pack = packs.verticals.get(vertical)
    if pack is None:
        says = f"there is no vertical '{vertical}'; {nearest(vertical, packs.verticals)}"
        raise NotFound("scoring.vertical.unknown", says)
    return pack.files.get(FILE, {})


async def versions_of(tx: Tx, packs: Packs, vertical: str) -> list[CardVersion]:
    """Every version of a vertical's card, newest first; the pack's own is the last."""
    own = pack_card(packs, vertical)
    first = CardVersion(0, None, "pack", "", read_card(own, vertical), own)
    return [*[_version(one) for one in await records.history(tx, CARD_KIND, vertical)], first]


def _version(one: records.Version) -> CardVersion:
    raw: dict[str, Any] = msgspec.json.decode(one.body) if one.body is not None else {"retired": True}
    card = read_record(raw).card if one.body is not None else None
    parts = {key: value for key, value in raw.items() if key not in _ABOUT} if card is not None else None
    return CardVersion(one.revision, one.at, one.author, str(raw.get("why", "")), card, parts)


async def card_in_force(tx: Tx, packs: Packs, vertical: str) -> CardVersion:
    """The version that counts now."""
    versions = await versions_of(tx, packs, vertical)
    return versions[0] if versions[0].card is not None else versions[-1]


async def find_version(tx: Tx, packs: Packs, vertical: str, revision: int) -> CardVersion:
    """One version; revision 0 is the pack's. Raises NotFound ``scoring.version.unknown``."""
    for one in await versions_of(tx, packs, vertical):
        if one.revision == revision:
            return one
    raise NotFound("scoring.version.unknown", f"the card of {vertical} did not change at revision {revision}")


def text_of(vertical: str, version: CardVersion, why: str = "") -> str:
    """A version as a file would declare it."""
    if version.raw is None or (version.revision == 0 and not version.raw):
        table: dict[str, Any] = {"vertical": vertical, "retired": True}
    else:
        table = {"vertical": vertical, **({"why": why} if why else {}), **version.raw}
    return tomlkit.dumps({CARD_KIND: [_plain(table)]})


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


async def put_card(tx: Tx, raw: Mapping[str, Any], by: Author, dry_run: bool = False) -> Difference:
    """Put a card in force; what changes. Raises BadInput as ``apply`` does, and ``scoring.card.unexplained`` where
    nothing says why."""
    if not str(raw.get("why", "")).strip():
        raise BadInput("scoring.card.unexplained", "say why: whoever looks at this version later will ask")
    return await _apply(tx, CARD_KIND, raw, by, dry_run)


async def go_back(tx: Tx, packs: Packs, vertical: str, revision: int, why: str, by: Author) -> Difference:
    """Put an older version in force again; the versions between stay where they are."""
    found = await find_version(tx, packs, vertical, revision)
    about = {"vertical": vertical, "why": why}
    raw = {**about, "retired": True} if found.revision == 0 or found.raw is None else {**about, **found.raw}
    return await put_card(tx, raw, by)


async def _apply(tx: Tx, kind: str, raw: Mapping[str, Any], by: Author, dry_run: bool = False) -> Difference:
    return await _apply_all(tx, [declare(kind, raw, kind)], by, dry_run)


async def _apply_all(tx: Tx, declared: Sequence[Declared], by: Author, dry_run: bool = False) -> Difference:
    return await apply_declared(
        tx,
        declared,
        author=by.name,
        now=by.at,
        mint=by.mint,
        keyed_hash=by.keyed_hash,
        environ={},
        verticals=by.rules.verticals,
        dialects=by.rules.dialects,
        dry_run=dry_run,
    )


# Models


async def add_model(
    tx: Tx, folder: Path, ident: str, vertical: str, why: str, by: Author, foresees: str | None = None
) -> ModelRecord:
    """Keep a trained model and register it as a candidate. What it ``foresees`` follows from a target of our own leads
    (``TARGETS``); of another it is conversion where nobody says.

    Raises BadInput as ``read_model`` and ``apply`` do, and ``scoring.model.foresees`` where what is said contradicts
    the target."""
    body = pack_model(folder)
    model = read_model(body)
    digest = model.digest
    foresees = _foreseen(model.form.target, foresees)
    await keep_model(tx, digest, body, by.at, by.name)
    raw = {"id": ident, "vertical": vertical, "digest": digest, "state": "candidate", **({"why": why} if why else {})}
    raw |= {"foresees": foresees} if foresees != "conversion" else {}
    await _apply(tx, MODEL_KIND, raw, by)
    return (await models_in_force(tx))[ident]


def _foreseen(target: str, said: str | None) -> str:
    known: str | None = next((foresees for name, foresees in TARGETS.items() if name == target), None)
    if said in FORESEES and known is not None and said != known:
        says = f"it learned '{target}', so it foresees {known}, not {said}; leave --foresees out"
        raise BadInput("scoring.model.foresees", says)
    return said or known or "conversion"


async def foreign_words(tx: Tx, ident: str, by: Author) -> str:
    """In words which columns of a model no lead of its vertical can have; nothing where there are none."""
    record = (await models_in_force(tx))[ident]
    body = (await model_bodies(tx, [record.digest]))[record.digest]
    return tell_foreign(read_model(body), by.rules.verticals[record.vertical])


async def models_in_force(tx: Tx) -> dict[str, ModelRecord]:
    """Every model that is not retired, by id."""
    found = models_of((await records.snapshot(tx)).of(MODEL_KIND))
    return {one.id: one for one in found if not one.retired}


async def place_model(tx: Tx, ident: str, state: str, share: str | None, why: str, by: Author) -> list[Difference]:
    """Give a model its place; a champion before it is heard on as a shadow. ``share`` is written as ``"0.10"``.

    Raises NotFound ``scoring.model.missing``, BadInput as ``apply`` does."""
    known = await models_in_force(tx)
    record = known.get(ident)
    if record is None:
        raise NotFound("scoring.model.missing", f"there is no model '{ident}'; {nearest(ident, known)}")
    made = []
    if state == "champion":
        made += [await _apply_all(tx, [one], by) for one in _stepping_down(known, record)]
    made.append(await _apply(tx, MODEL_KIND, _raw(record, state, share, why), by))
    return made


def _stepping_down(known: Mapping[str, ModelRecord], record: ModelRecord) -> list[Declared]:
    """The champion before, which is heard on as a shadow where ``record`` takes its place."""
    same = (record.vertical, record.foresees)
    return [
        declare(MODEL_KIND, _raw(one, "shadow", None, f"{record.id} took its place"), MODEL_KIND)
        for one in known.values()
        if one.state == "champion" and (one.vertical, one.foresees) == same and one.id != record.id
    ]


async def take_back(tx: Tx, record: ModelRecord, before: ModelRecord | None, why: str, by: Author) -> Difference:
    """Have a model that decides be heard only, and ``before``, the champion it took over from, decide again as it did
    then (None: the card, or who decides beside it), in one change. Raises BadInput as ``apply`` does."""
    tables = [_raw(record, "shadow", None, why)]
    if before is not None:
        share = f"{before.share / 10_000:.4f}" if before.share is not None else None
        tables.append(_raw(before, "champion", share, f"{record.id} was taken back"))
    return await _apply_all(tx, [declare(MODEL_KIND, one, MODEL_KIND) for one in tables], by)


RETIRED = "retired"
"""Stands for out of play where places are named."""


async def give_place(tx: Tx, ident: str, state: str, share: str | None, why: str, by: Author) -> list[Difference]:
    """Give a model its place, or take it out of play (:data:`RETIRED`), with a reason. Raises as :func:`place_model`,
    and BadInput ``scoring.model.unexplained`` where nothing says why."""
    if not why.strip():
        raise BadInput("scoring.model.unexplained", "say why: whoever looks at this place later will ask")
    if state != RETIRED:
        return await place_model(tx, ident, state, share, why.strip(), by)
    return [await retire_model(tx, ident, why.strip(), by)]


def place_text(record: ModelRecord, state: str, share: str | None) -> str:
    """A model at another place, or out of play, as a file would declare it, to be tried. Raises BadInput
    ``scoring.model.malformed`` where it cannot be there."""
    gone = state == RETIRED
    table = {**_raw(record, "candidate" if gone else state, share, ""), **({RETIRED: True} if gone else {})}
    read_model_record(table)
    return tomlkit.dumps({MODEL_KIND: [table]})


async def retire_model(tx: Tx, ident: str, why: str, by: Author) -> Difference:
    """Take a model out of play; its bytes stay, so that what it rated can be decided again."""
    known = await models_in_force(tx)
    if ident not in known:
        raise NotFound("scoring.model.missing", f"there is no model '{ident}'; {nearest(ident, known)}")
    return await _apply(tx, MODEL_KIND, {**_raw(known[ident], "candidate", None, why), "retired": True}, by)


def _raw(record: ModelRecord, state: str, share: str | None, why: str) -> dict[str, Any]:
    found: dict[str, Any] = {"id": record.id, "vertical": record.vertical, "digest": record.digest, "state": state}
    found |= {"middle": record.middle, "double": record.double}
    found |= {"foresees": record.foresees} if record.foresees != "conversion" else {}
    return found | ({"share": share} if share is not None else {}) | ({"why": why} if why else {})


# From a trial


def adoptable(trial: Trial) -> bool:
    """Whether a trial is done and says nothing but how leads are rated, so that it may be put in force as tried."""
    return trial.state == "done" and set(tomlkit.parse(trial.text).unwrap()) <= {CARD_KIND, MODEL_KIND, ADJUSTMENT}


async def adopt(tx: Tx, trial: Trial, why: str, by: Author) -> str:
    """Put in force what was tried; the vertical it is about. Raises BadInput ``scoring.trial.unfit`` where the trial is
    not done or says something else as well, and as :func:`put_card`."""
    if not adoptable(trial):
        raise BadInput("scoring.trial.unfit", "try a card or a model alone, and wait until the trial is done")
    if not why.strip():
        raise BadInput("scoring.card.unexplained", "say why: whoever looks at this version later will ask")
    tables = read_text(trial.text.encode(), "the trial")
    declared = [declare(one.kind, {**one.raw, "why": why.strip()}, one.place) for one in tables]
    named = {one.id for one in declared if one.kind == MODEL_KIND}
    known = {ident: one for ident, one in (await models_in_force(tx)).items() if ident not in named}
    crowned = [one.raw for one in declared if one.kind == MODEL_KIND and one.raw.get("state") == "champion"]
    lower = [each for raw in crowned for each in _stepping_down(known, read_model_record(raw))]
    await _apply_all(tx, [*lower, *declared], by)
    for one in declared:
        if one.kind == CARD_KIND and (card := read_record(one.raw).card) is not None:
            await close_taken_up(tx, card, by.name, by.at, why.strip())
    return str(declared[0].raw.get("vertical", ""))
