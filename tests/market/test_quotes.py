"""The station ``quote`` and the rule that keeps a price, without a store."""

from datetime import UTC, datetime, timedelta

import pytest

from leadmill.capture import Submission
from leadmill.core.case import NOTHING, Case, Heard
from leadmill.core.money import Money
from leadmill.core.verdicts import ASIDE, Pass, Stop
from leadmill.market import Mode, PingQuote, QuoteAsk, Quoted, QuotedLeg, QuoteFound, Redeem

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PING = "ping_01m811p9cke10ve0pz0w88cx67"


def quote(**more: object) -> PingQuote:
    """A quote of one leg at 65.00, of which the source was promised 45.50."""
    told: dict[str, object] = {
        "id": PING,
        "source_id": "acme",
        "vertical": "solar",
        "at": NOON,
        "expires_at": NOON + timedelta(seconds=60),
        "revision": 1,
        "mode": Mode.EXCLUSIVE,
        "legs": (QuotedLeg("helio-ca", "helio", "Helio Solar", Money(6500)),),
        "price": Money(4550),
        "owed": True,
    }
    return PingQuote(**{**told, **more})  # type: ignore[arg-type]


def case(after: float, ping_id: str | None = PING) -> Case:
    """A lead that came so many seconds after its ping."""
    at = NOON + timedelta(seconds=after)
    sent = Submission(
        id="sub_1",
        source_id="acme",
        channel="json",
        received_at=at,
        content_type="application/json",
        body=b"{}",
        digest="",
        ping_id=ping_id,
    )
    return Case("lead_1", [sent])


def judged(after: float, found: QuoteFound) -> Pass | Stop:
    verdict = Redeem().judge(case(after), Heard({QuoteAsk(PING): found}), NOON)
    assert isinstance(verdict, Pass | Stop)
    return verdict


def test_a_lead_without_a_ping_is_asked_nothing_and_told_nothing() -> None:
    step, lone = Redeem(), case(1, None)
    assert step.wants(lone) == () and step.judge(lone, NOTHING, NOON) is ASIDE


def test_a_post_in_time_learns_its_quote() -> None:
    assert Redeem().wants(case(1)) == (QuoteAsk(PING),)
    verdict = judged(59.9, QuoteFound(quote()))
    assert isinstance(verdict, Pass) and isinstance(verdict.learned[0], Quoted)
    assert list(verdict.learned[0].tell()) == [
        f"Quoted $45.50 at 12:00:00 for Helio Solar at $65.00 (exclusive); posted 59.9 s later against {PING}."
    ]


@pytest.mark.parametrize(
    ("after", "found", "code"),
    [
        (60, QuoteFound(quote()), "market.quote.expired"),
        (1, QuoteFound(quote(), "lead_0"), "market.quote.spent"),
        (1, QuoteFound(), "market.quote.gone"),
    ],
)
def test_a_post_that_is_late_again_or_of_nothing_is_stopped(after: float, found: QuoteFound, code: str) -> None:
    verdict = judged(after, found)
    assert isinstance(verdict, Stop) and verdict.because.code == code


def test_the_floor_is_what_was_promised_but_never_more_than_the_quoted_orders_pay() -> None:
    assert quote().floor == 4550
    assert quote(price=Money(9900)).floor == 6500, "terms that pay more than comes in bind nobody else"
    assert quote(owed=False).floor == 0, "what a source without terms was told is no promise"


def test_a_test_holds_no_room() -> None:
    assert quote().holds == (f"{PING}/helio-ca",)
    assert quote(test=True).holds == ()
