"""What is measured of models at work, as pages show it."""

from datetime import UTC, date, datetime

import pytest

from leadmill.interfaces.console.watching import alert_shown, evidence, model_watched, vertical_watched
from leadmill.scoring.watch import (
    Alert,
    Bin,
    Calibrated,
    Compared,
    Group,
    Lag,
    Rate,
    Shift,
    Tenth,
    Watched,
    WatchedVertical,
    WatchTerms,
)

DAY = date(2026, 11, 17)


def shift(name: str, psi: float, state: str, e_value: float, shares: list[tuple[str, float, float]]) -> Shift:
    bins = [Bin(says, then, now, round(900 * now)) for says, then, now in shares]
    return Shift(name, 900, psi, 0.011, e_value, e_value >= 100, state, bins)  # type: ignore[arg-type]


SCORE = shift(
    "score", 0.14, "moving", 12.0, [(f"{n / 10:.2f} to {n / 10 + 0.1:.2f}", 0.1, 0.04 + n * 0.0133) for n in range(10)]
)
COLUMNS = [
    shift("monthly_bill", 0.02, "steady", 1.1, [("up to 90", 0.3, 0.28), ("90 to 180", 0.4, 0.42), ("over", 0.3, 0.3)]),
    shift("timeframe", 0.41, "drifted", 5e6, [("immediately", 0.2, 0.46), ("later", 0.5, 0.3), ("missing", 0.3, 0.24)]),
    shift("state", 0.0, "few", 1.0, []),
]
TENTHS = [Tenth(n / 5, n / 5 + 0.2, 180, n / 5 + 0.1, n / 5 + 0.05, n / 5 + 0.01, n / 5 + 0.13) for n in range(5)]
CALIBRATED = Calibrated(900, 410, -0.05, -0.09, -0.01, 0.052, 0.021, 140.0, True, TENTHS, TENTHS)
WHOLE = WatchedVertical(
    vertical="solar",
    terms=WatchTerms(vertical="solar"),
    upto=DAY,
    models=[
        Watched(
            "bills-1", "d" * 64, "solar", "champion", "conversion", date(2026, 9, 1), DAY, 900, SCORE, COLUMNS,
            CALIBRATED,
        )
    ],
    groups=[
        Group(
            "card", "",
            Rate(400, 12, 0.03, 0.017, 0.052), Rate(380, 30, 0.079, 0.056, 0.11), Rate(380, 90, 0.237, 0.197, 0.282),
        ),
        Group(
            "bills-1", "d" * 64,
            Rate(500, 30, 0.06, 0.042, 0.084), Rate(470, 60, 0.128, 0.1, 0.161), Rate(470, 150, 0.319, 0.279, 0.363),
            ["bad"], ["converted"],
        ),
    ],
    compared=[Compared("bills-1", "roofs-2", 820, 0.012, 0.002, 0.022, "model")],
    lags=[
        Lag("helio", 420, 3.5, 21.0, 0.08, 0.7, 0.72, 210, "steady"),
        Lag("sunco", 300, 9.0, None, 0.44, 0.6, 0.12, 150, "silent"),
        Lag("brightside", 20, None, None, 1.0, None, None, 0, "few"),
    ],
    days=[],
)  # fmt: skip
ALERT = Alert(
    id="alert_1",
    vertical="solar",
    kind="column_drift",
    severity="alarm",
    model="bills-1",
    subject="timeframe",
    says="timeframe is not as in the training data of bills-1: PSI 0.41 over 900 leads.",
    since=datetime(2026, 11, 15, tzinfo=UTC),
    seen=datetime(2026, 11, 17, tzinfo=UTC),
)


def named(recipient: str) -> str:
    return {"sunco": "SunCo Inc"}.get(recipient, recipient)


@pytest.mark.parametrize(
    ("e_value", "sure", "says"),
    [(1.0, False, "none"), (4.0, False, "some"), (40.0, False, "strong, not yet sure"), (120.0, True, "sure")],
)
def test_evidence_is_told_in_words(e_value: float, sure: bool, says: str) -> None:
    assert evidence(e_value, sure) == says


def test_what_drifted_stands_first_and_has_its_bins_drawn_beside_a_table_of_the_same() -> None:
    told = model_watched(WHOLE.models[0], WHOLE)
    assert [each["name"] for each in told["columns"]] == ["timeframe", "monthly_bill", "state"]
    assert [each["name"] for each in told["charts"]] == ["timeframe", "monthly_bill"]
    drawn = told["charts"][0]
    assert (drawn["state"], drawn["evidence"]) == ("Drifted", "sure")
    assert drawn["chart"].count("<rect") == 2 * len(drawn["bins"])
    assert (drawn["bins"][0]["then"], drawn["bins"][0]["now"]) == ("20.0%", "46.0%")
    assert told["calibration"]["plot"].count("<circle") == len(TENTHS)
    assert 'class="then"' in told["calibration"]["plot"]
    assert (told["calibration"]["evidence"], told["sure"]) == ("sure", "99%")


def test_a_comparison_reads_from_either_side() -> None:
    one = model_watched(WHOLE.models[0], WHOLE)["compared"][0]
    other = Watched("roofs-2", "e" * 64, "solar", "shadow", "conversion", DAY, DAY, 820, None, [], None)
    two = model_watched(other, WHOLE)["compared"][0]
    assert (one["other"], one["difference"], one["says"]) == ("roofs-2", "+0.0120", "this one is better")
    assert (two["other"], two["difference"], two["says"]) == ("bills-1", "-0.0120", "the other is better")
    assert two["within"] == "-0.0220 to -0.0020"


def test_recipients_that_report_least_stand_first_and_what_is_sure_of_a_group_is_marked() -> None:
    told = vertical_watched(WHOLE, named)
    assert [each["recipient"] for each in told["lags"]] == ["brightside", "SunCo Inc", "helio"]
    assert [each["state"] for each in told["lags"]] == ["Too few", "Silent", "Steady"]
    assert told["groups"][1]["marks"] == [("bad", "more bad"), ("ok", "more converted")]
    assert told["groups"][0]["card"] and not told["groups"][0]["marks"]


def test_an_alert_leads_to_its_model_or_to_the_vertical() -> None:
    assert (alert_shown(ALERT, {}, named)["href"], alert_shown(ALERT, {}, named)["about"]) == (
        "/scores/solar/models/bills-1#watch",
        "timeframe",
    )
    late = Alert(
        id="alert_2", vertical="solar", kind="silent", severity="watch", model="", subject="sunco",
        says="SunCo fell silent.", since=ALERT.since, seen=ALERT.seen,
    )  # fmt: skip
    told = alert_shown(late, {}, named)
    assert (told["href"], told["severity"], told["open"], told["about"]) == (
        "/scores/solar#lags",
        "Look",
        True,
        "SunCo Inc",
    )
