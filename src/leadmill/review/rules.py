"""Pure rules of the desk: when a case is due, which are decided by two, who may decide, and how far people agree.

Called by the verbs, the readers of configuration and the pages.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from msgspec import Struct

from leadmill.core.hours import read_schedule
from leadmill.core.reading import Table
from leadmill.review.model import GROUNDS, Label, ReviewCase, ReviewTerms, Stage

FEWEST = 20
"""Pairs of decisions under which agreement says too little to be told."""

_CODE = "config.review.malformed"
_HORIZON = 400
"""Days that are looked through for open hours."""
_LONGEST = 60 * 24 * 60


def read_review(raw: object) -> ReviewTerms:
    """A ``[[review]]`` table; its ``id`` is a vertical or ``all``. Raises BadInput ``config.review.malformed``."""
    table = Table(raw, "review", _CODE)
    ident = table.name()
    table.where = f"review {ident}"
    hours = None
    if table.has("hours"):
        hours = read_schedule(table.inner(table.value("hours"), "hours"), "nobody would ever work")
    found = ReviewTerms(
        id=ident,
        hours=hours,
        closed=tuple(_day(table, one) for one in table.texts("closed", ())),
        minutes=table.whole("minutes", 240, 1, _LONGEST),
        due=_due(table),
        second_share=int(table.rate("second_share") * 1_000_000) if table.has("second_share") else 0,
        undo_seconds=table.whole("undo_seconds", 10, 0, 3_600),
        lock_minutes=table.whole("lock_minutes", 10, 1, 480),
        retired=table.flag("retired", False),
    )
    table.close()
    return found


def _due(table: Table) -> dict[str, int]:
    given = table.value("due", {})
    inner = table.inner(given, "due")
    return {str(key): inner.whole(str(key), ..., 1, _LONGEST) for key in given}


def _day(table: Table, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        table.refuse("write dates such as 2026-12-25", "closed")


def due_at(terms: ReviewTerms, reason: str, since: datetime) -> datetime:
    """When a case is due that began to wait at ``since``: so many minutes of open hours later, by the clock on the wall
    of their zone. Hours that never open any more count as if they were always open."""
    left = timedelta(minutes=terms.due.get(reason, terms.minutes))
    if terms.hours is None and not terms.closed:
        return since + left
    latest = since
    for begins, ends in _open_from(terms, since):
        begins = max(begins, latest)
        if ends <= begins:
            continue
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
        latest = ends
    return latest + left


def _open_from(terms: ReviewTerms, since: datetime) -> Iterable[tuple[datetime, datetime]]:
    """The open spans that end after a moment, in order, as UTC."""
    zone = ZoneInfo(terms.hours.tz) if terms.hours is not None else UTC
    first = since.astimezone(zone).date() - timedelta(days=1)
    spans = [(span.start, span.end) for span in terms.hours.spans] if terms.hours is not None else []
    for offset in range(_HORIZON):
        day = first + timedelta(days=offset)
        if day in terms.closed:
            continue
        midnight = datetime.combine(day, time())
        base = day.weekday() * 1440
        today = [(start - base, end - base) for start, end in spans if start // 1440 == day.weekday()]
        for start, end in today if terms.hours is not None else [(0, 1440)]:
            begins, ends = (
                (midnight + timedelta(minutes=minute)).replace(tzinfo=zone).astimezone(UTC) for minute in (start, end)
            )
            if ends > since:
                yield begins, ends


def is_sampled(case_id: str, share: int) -> bool:
    """Whether a case is one of the ``share`` millionths that two people decide: by the hash of its id alone, so that it
    can be checked afterwards and nobody can choose."""
    return int.from_bytes(sha256(case_id.encode()).digest()[:8], "big") * 1_000_000 < share << 64


def may_take(case: ReviewCase, who: str, supervises: bool) -> bool:
    """Whether somebody may decide a case at its stage: the second is not the first, the third neither of the two, and
    somebody who supervises."""
    if case.stage not in ("open", "second", "third") or who in (case.first_by, case.second_by):
        return False
    return case.stage != "third" or supervises


def next_stage(case: ReviewCase, choice: str, first: str | None) -> Stage:
    """Where a case goes with a decision; ``first`` is what the first of two decided."""
    if case.stage == "open":
        return "second" if case.sampled else "decided"
    return "third" if case.stage == "second" and choice != first else "decided"


class Pair(Struct, frozen=True):
    """What two people decided about one case without knowing of one another."""

    reason: str
    first_by: str
    first: str
    second_by: str
    second: str


class Agreement(Struct, frozen=True):
    """How far pairs agree: of ``pairs``, ``agreed``; ``raw`` is that share and ``kappa`` Cohen's, both None where fewer
    than :data:`FEWEST` say too little, kappa also where everybody always said the same."""

    pairs: int
    agreed: int
    raw: float | None
    kappa: float | None


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Raw agreement and Cohen's kappa, (observed - expected) / (1 - expected), where the expected share is that of two
    who decide by chance as often so as these did (J. Cohen, A Coefficient of Agreement for Nominal Scales, 1960)."""
    total = len(pairs)
    agreed = sum(first == second for first, second in pairs)
    if total < FEWEST:
        return Agreement(total, agreed, None, None)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    chance = sum(firsts[one] * seconds[one] for one in firsts)
    whole = total * total
    kappa = (agreed * total - chance) / (whole - chance) if chance < whole else None
    return Agreement(total, agreed, agreed / total, kappa)


def by_reason(pairs: Iterable[Pair]) -> dict[str, Agreement]:
    """Agreement on each reason that leads waited for."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in pairs:
        found.setdefault(one.reason, []).append((one.first, one.second))
    return {reason: agreement(each) for reason, each in sorted(found.items())}


def by_reviewer(pairs: Iterable[Pair]) -> dict[str, Agreement]:
    """How far each reviewer agrees with whoever else decided the same cases."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in pairs:
        found.setdefault(one.first_by, []).append((one.first, one.second))
        found.setdefault(one.second_by, []).append((one.second, one.first))
    return {who: agreement(each) for who, each in sorted(found.items())}


_CLASSIFIED = ("scoring.", "fraud.", "facts.check.", "flow.desk.")
"""The beginnings of reasons that our own judgement gave, as against the law's and the person's."""


def may_override(state: str, reason: str | None) -> bool:
    """Whether what was decided about a lead is our own judgement, and still can be another: a Stop by law, an opt-out
    or somebody who was forgotten never is."""
    return state in ("rejected", "nurture") and reason is not None and reason.startswith(_CLASSIFIED)


def ground_fits(choice: str, ground: str, grounds: Iterable[str]) -> bool:
    """Whether a decision brings the ground it must: a rejection one of the list, others none."""
    return ground in grounds if choice == "reject" else ground == ""


def label_of(choice: str, ground: str) -> Label | None:
    """What a decision says of the lead's quality."""
    if ground:
        return GROUNDS[ground].label
    return "good" if choice == "approve" else None
