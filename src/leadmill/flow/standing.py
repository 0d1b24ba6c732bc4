"""Records that decide about no lead on its walk: when leads are looked at once more, how long what is kept stays, what
was agreed with partners, how the review desk works, how often cards are held against what became of their leads, how
models at work are watched and how often they are trained again.
Read from their documents, and checked against what they refer to.

Called by ``book``, which assembles what is in force, and by ``planning``, which refuses what refers to nothing.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from leadmill.core.faults import BadInput
from leadmill.core.reading import nearest
from leadmill.hygiene import Reverify, read_reverify
from leadmill.privacy import DataAgreement, Schedule, Terms, read_agreement, read_retention
from leadmill.review import EVERY, ReviewTerms, read_review
from leadmill.runtime.records import Snapshot
from leadmill.scoring import CardReviewTerms, read_card_review
from leadmill.scoring.retraining import Retrain, read_retrain
from leadmill.scoring.watch import WatchTerms, read_watch_terms

KINDS = ("reverify", "retention", "agreement", "review", "card_review", "watch", "retrain")
"""The kinds of these records."""

Aside = Reverify | Schedule | DataAgreement | ReviewTerms | CardReviewTerms | WatchTerms | Retrain


def read_aside(kind: str, raw: object) -> Aside:
    """A record of one of these kinds as read. Raises BadInput as its reader does."""
    if kind == "reverify":
        return read_reverify(raw)
    if kind == "review":
        return read_review(raw)
    if kind == "card_review":
        return read_card_review(raw)
    if kind == "watch":
        return read_watch_terms(raw)
    if kind == "retrain":
        return read_retrain(raw)
    return read_retention(raw) if kind == "retention" else read_agreement(raw)


def check_aside(record: Aside, known: Mapping[str, Collection[str]]) -> None:
    """Refuse what refers to nothing; ``known`` are the names of each kind of thing. Raises BadInput
    ``config.reference.unknown``."""
    if isinstance(record, DataAgreement):
        if record.partner in known:
            _exists(f"agreement {record.id}", record.partner, (record.party,), known)
        return
    if isinstance(record, CardReviewTerms):
        _exists(f"card_review {record.vertical}", "vertical", (record.vertical,), known)
        return
    if isinstance(record, WatchTerms):
        _exists(f"watch {record.vertical}", "vertical", (record.vertical,), known)
        return
    if isinstance(record, Retrain):
        _exists(f"retrain {record.id}", "vertical", (record.vertical,), known)
        return
    if isinstance(record, ReviewTerms):
        if record.id != EVERY:
            _exists(f"review {record.id}", "vertical", (record.id,), known)
        return
    who = f"{'retention' if isinstance(record, Schedule) else 'reverify'} {record.id}"
    _exists(who, "vertical", record.verticals, known)
    if isinstance(record, Schedule):
        _exists(who, "source", record.sources, known)


def _exists(who: str, kind: str, names: Collection[str], known: Mapping[str, Collection[str]]) -> None:
    for name in names:
        if name not in known[kind]:
            says = f"{who}: there is no {kind} '{name}'; {nearest(name, known[kind])}"
            raise BadInput("config.reference.unknown", says)


def schedules_of(found: Snapshot) -> dict[str, Reverify]:
    """When leads are looked at once more, by a revision."""
    return {ident: read_reverify(_decode(body)) for ident, body in found.of("reverify").items()}


def terms_of(found: Snapshot, defaults: Terms) -> Terms:
    """How long what is kept stays, by a revision: declared schedules over the packs' defaults."""
    return defaults.laid_over([read_retention(_decode(body)) for body in found.of("retention").values()])


def agreements_of(found: Snapshot) -> dict[str, DataAgreement]:
    """What was agreed with partners, by a revision."""
    return {ident: read_agreement(_decode(body)) for ident, body in found.of("agreement").items()}


def reviews_of(found: Snapshot) -> dict[str, ReviewTerms]:
    """How the review desk works, by vertical, by a revision."""
    terms = (read_review(_decode(body)) for body in found.of("review").values())
    return {one.id: one for one in terms if not one.retired}


def card_reviews_of(found: Snapshot) -> dict[str, CardReviewTerms]:
    """How often cards are held against what became of their leads, by vertical, by a revision."""
    terms = (read_card_review(_decode(body)) for body in found.of("card_review").values())
    return {one.vertical: one for one in terms}


def watches_of(found: Snapshot) -> dict[str, WatchTerms]:
    """How models at work are watched, by vertical, by a revision."""
    terms = (read_watch_terms(_decode(body)) for body in found.of("watch").values())
    return {one.vertical: one for one in terms if not one.retired}


def retrains_of(found: Snapshot) -> dict[str, Retrain]:
    """How often models are trained again, by the records' ids, by a revision."""
    terms = (read_retrain(_decode(body)) for body in found.of("retrain").values())
    return {one.id: one for one in terms if not one.retired}


def _decode(body: str) -> Any:
    return msgspec.json.decode(body)
