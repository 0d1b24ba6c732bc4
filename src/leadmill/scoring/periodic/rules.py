"""When a card is due for its review, and what becomes of one that was made. Pure."""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leadmill.core.reading import Table
from leadmill.core.spans import after, is_span
from leadmill.scoring.cards import KIND as CARD_KIND
from leadmill.scoring.cards import read_record
from leadmill.scoring.periodic.model import KIND, CardReviewTerms, KeptReview, Standing
from leadmill.scoring.reviewing import CardReview

_CODE = "config.card_review.malformed"
_MOST = 200_000


def read_card_review(raw: object) -> CardReviewTerms:
    """A ``[[card_review]]`` table. Raises BadInput ``config.card_review.malformed``."""
    table = Table(raw, KIND, _CODE)
    vertical = table.text("vertical")
    table.where = f"{KIND} {vertical}"
    found = CardReviewTerms(
        vertical=vertical,
        every=_span(table, "every", "30d"),
        span=_span(table, "span", "12mo"),
        horizon=table.whole("horizon", 60, 1, 730),
        most=table.whole("most", 20_000, 100, _MOST),
        retired=table.flag("retired", False),
    )
    table.close()
    return found


def _span(table: Table, key: str, default: str) -> str:
    found = table.text(key, default)
    if not is_span(found) or found.endswith("h") or found[0] == "0":
        table.refuse("write a span such as 30d, 6w or 12mo", key)
    return found


def due(terms: CardReviewTerms, last: datetime | None, now: datetime) -> bool:
    """Whether a review is to be made now; ``last`` is when the latest was."""
    return not terms.retired and (last is None or after(last, terms.every) <= now)


def kept_of(
    ident: str, terms: CardReviewTerms, since: datetime, now: datetime, card: str, found: CardReview, text: str
) -> KeptReview:
    """A review to keep; ``text`` is what it suggests, empty where it suggests nothing."""
    standing: Standing = "waiting" if text else "thin" if found.thin else "bears_out"
    return KeptReview(
        id=ident,
        vertical=terms.vertical,
        at=now,
        since=since,
        horizon=terms.horizon,
        card=card,
        standing=standing,
        found=found,
        text=text,
    )


def suggested_tables(one: KeptReview) -> Mapping[str, Any]:
    """What a review suggests, as a record; empty where it suggests nothing."""
    found: Mapping[str, Any] = tomllib.loads(one.text).get(CARD_KIND, [{}])[0]
    return found


def suggested_digest(one: KeptReview) -> str:
    """The digest of the card that a review suggests; empty where it suggests none."""
    card = read_record(suggested_tables(one)).card if one.text else None
    return card.digest if card is not None else ""
