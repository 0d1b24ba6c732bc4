"""Pure rules of the desk: when a case is due, which are decided by two, who may decide, and how far people agree.

Called by the verbs, the readers of configuration and the pages.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from math import sqrt
from zoneinfo import ZoneInfo

from msgspec import Struct

from leadmill.core.hours import read_schedule
from leadmill.core.reading import Table
from leadmill.core.shares import Z_95, share_interval
from leadmill.review.model import CHOICES, GROUNDS, Label, ReviewCase, ReviewTerms, Stage

FEWEST = 20
"""Pairs of decisions under which agreement says too little to be told."""
SKEWED = 0.8
"""The share of one decision among all from which on kappa misleads."""
RECENT = timedelta(days=30)
"""The end of the span that is held against the whole of it."""

_CODE = "config.review.malformed"
_HORIZON = 400
"""Days that are looked through for open hours."""
_LONGEST = 60 * 24 * 60
_MAILBOX = re.compile(r"[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]{1,250}")


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
        notify=tuple(_mailbox(table, one) for one in table.texts("notify", ())),
    )
    table.close()
    return found


def _mailbox(table: Table, text: str) -> str:
    if not _MAILBOX.fullmatch(text):
        table.refuse("write e-mail addresses such as ops@example.com", "notify")
    return text


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
    """What two people decided about one case without knowing of one another; ``at`` is when the case was over."""

    reason: str
    first_by: str
    first: str
    second_by: str
    second: str
    at: datetime | None = None


class Agreement(Struct, frozen=True):
    """How far pairs agree: of ``pairs``, ``agreed``; ``raw`` is that share. ``kappa`` is Cohen's, ``ac1`` Gwet's; both
    tell agreement beyond chance and differ in what they take for chance. The pairs of limits hold each with 95 in 100.
    ``most`` is the share of the commonest decision among all.

    All are None where fewer than :data:`FEWEST` say too little, kappa also where everybody always said the same."""

    pairs: int
    agreed: int
    raw: float | None = None
    kappa: float | None = None
    raw_limits: tuple[float, float] | None = None
    kappa_limits: tuple[float, float] | None = None
    ac1: float | None = None
    ac1_limits: tuple[float, float] | None = None
    most: float | None = None

    @property
    def skewed(self) -> bool:
        """Whether nearly all was decided alike. Kappa is low then even between people who hardly ever differ (Feinstein
        and Cicchetti, High Agreement but Low Kappa, 1990): the share and AC1 are to be read."""
        return self.most is not None and self.most >= SKEWED


def agreement(pairs: Sequence[tuple[str, str]], scale: int = len(CHOICES)) -> Agreement:
    """How far pairs of decisions agree; ``scale`` is between how many one may choose.

    Both measures are (observed - expected) / (1 - expected). For Cohen's kappa the expected share is that of two who
    decide by chance as often so as these did (A Coefficient of Agreement for Nominal Scales, 1960). For Gwet's AC1 it
    is sum p(1 - p) / (scale - 1) over how often each was chosen (Computing Inter-Rater Reliability in the Presence of
    High Agreement, 2008). Their limits follow from Wilson's of the observed share, chance taken as known, as Cohen did:
    so they are never of no width, even where everybody agreed."""
    total = len(pairs)
    agreed = sum(first == second for first, second in pairs)
    if total < FEWEST:
        return Agreement(total, agreed)
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    met = sum(firsts[one] * seconds[one] for one in firsts)
    shares = [each / (2 * total) for each in (firsts + seconds).values()]
    spread = sum(share * (1 - share) for share in shares) / (scale - 1)
    raw, limits = agreed / total, share_interval(agreed, total)
    chance = met / (total * total)
    certain = met == total * total  # by whole numbers: a share of one must not be missed by a hair
    return Agreement(
        total,
        agreed,
        raw,
        None if certain else _beyond(raw, chance),
        limits,
        None if certain else (_beyond(limits[0], chance), _beyond(limits[1], chance)),
        _beyond(raw, spread),
        (_beyond(limits[0], spread), _beyond(limits[1], spread)),
        max(shares),
    )


def _beyond(share: float, chance: float) -> float:
    return (share - chance) / (1 - chance)


class Trend(Struct, frozen=True):
    """Agreement of a whole span beside that of its end. ``drifts`` says that the end differs from what was before by
    more than chance explains, in 95 of 100 cases; None where there are too few pairs on either side."""

    whole: Agreement
    recent: Agreement
    drifts: bool | None


def trend(pairs: Sequence[Pair], since: datetime) -> Trend:
    """Agreement of pairs, and of those whose cases were over after a moment. Whether it drifts is told by the test of
    two shares, (p1 - p2) / sqrt(p(1 - p)(1/n1 + 1/n2)) beyond 1.96."""
    late = [one for one in pairs if one.at is not None and one.at >= since]
    whole, recent = _of(pairs), _of(late)
    n, m = recent.pairs, whole.pairs - recent.pairs
    if min(n, m) < FEWEST:
        return Trend(whole, recent, None)
    share = whole.agreed / whole.pairs
    error = sqrt(share * (1 - share) * (1 / n + 1 / m))
    apart = abs(recent.agreed / n - (whole.agreed - recent.agreed) / m)
    return Trend(whole, recent, apart > Z_95 * error)


def by_reason(pairs: Iterable[Pair], since: datetime) -> dict[str, Trend]:
    """Agreement on each reason that leads waited for; see :func:`trend`."""
    found: dict[str, list[Pair]] = {}
    for one in pairs:
        found.setdefault(one.reason, []).append(one)
    return {reason: trend(each, since) for reason, each in sorted(found.items())}


def by_reviewer(pairs: Iterable[Pair], since: datetime) -> dict[str, Trend]:
    """How far each reviewer agrees with whoever else decided the same cases; see :func:`trend`."""
    found: dict[str, list[Pair]] = {}
    for one in pairs:
        found.setdefault(one.first_by, []).append(one)
        turned = Pair(one.reason, one.second_by, one.second, one.first_by, one.first, one.at)
        found.setdefault(one.second_by, []).append(turned)
    return {who: trend(each, since) for who, each in sorted(found.items())}


def _of(pairs: Iterable[Pair]) -> Agreement:
    return agreement([(one.first, one.second) for one in pairs])


_CLASSIFIED = ("scoring.", "fraud.", "facts.check.", "flow.desk.")
"""The beginnings of reasons that our own judgement gave, as against the law's and the person's."""


def may_override(state: str, reason: str | None) -> bool:
    """Whether what was decided about a lead is our own judgement, and still can be another: a Stop by law, an opt-out
    or somebody who was forgotten never is."""
    return state in ("rejected", "nurture") and reason is not None and reason.startswith(_CLASSIFIED)


_UNDECIDED = ("unsold", "nurture", "bidding")


def may_hold(state: str) -> bool:
    """Whether a lead can still be held: bids are awaited for it, or it went to nobody and could be offered again."""
    return state in _UNDECIDED


def may_mark(state: str) -> bool:
    """Whether a lead can be marked by hand, whoever has it; a case on the desk is decided there."""
    return state in (*_UNDECIDED, "sold", "assigned", "rejected", "duplicate")


def ground_fits(choice: str, ground: str, grounds: Iterable[str]) -> bool:
    """Whether a decision brings the ground it must: a rejection one of the list, others none."""
    return ground in grounds if choice == "reject" else ground == ""


def label_of(choice: str, ground: str) -> Label | None:
    """What a decision says of the lead's quality."""
    if ground:
        return GROUNDS[ground].label
    return "good" if choice == "approve" else None
