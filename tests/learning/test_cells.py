"""How cells are read: the same in training and in scoring."""

from datetime import date, datetime, time
from math import isnan

import msgspec
import pytest

from leadmill.learning.cells import EDITION, clock_of, comma_number_of, folded, moment_of, number_of, reader_of
from leadmill.learning.kinds import profile
from leadmill.learning.model import CategoryFeature, Form, Kind
from leadmill.learning.scoring import Model
from leadmill.learning.table import coded
from leadmill.learning.wording import in_words


@pytest.mark.parametrize(
    ("cell", "level"),
    [
        ("Red", "red"),
        ("  Dark   Red ", "dark red"),
        ("", ""),
        (None, ""),
        ("N/A", ""),
        ("nan", ""),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (3.0, "3"),
        (2.5, "2.5"),
        (float("nan"), ""),
        ("0", "0"),
    ],
)
def test_a_cell_is_a_level_however_it_is_written(cell: object, level: str) -> None:
    assert folded(cell) == level


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", 12.0),
        (" -3.5 ", -3.5),
        ("$1,234.50", 1234.5),
        ("12 %", 12.0),
        ("1e3", 1000.0),
        (7, 7.0),
        (True, 1.0),
        (".5", 0.5),
        ("(1,200.50)", -1200.5),
        ("-$5", -5.0),
        ("1.5k", 1500.0),
        ("$2M", 2_000_000.0),
        ("USD 1,200", 1200.0),
        ("1,200 EUR", 1200.0),
    ],
)
def test_a_number_is_read_with_its_signs(cell: object, number: float) -> None:
    assert number_of(cell) == number


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "abc",
        None,
        "1,2,3",
        "inf",
        "nan",
        "-",
        "$",
        "1_000",
        float("inf"),
        "12 apples",
        "(5",
        "k",
        "1-2",
        "1e300",
        1e300,
    ],
)
def test_what_is_no_number_is_missing(cell: object) -> None:
    assert isnan(number_of(cell))


@pytest.mark.parametrize(
    ("cell", "seconds"), [("13:45:20", 49520.0), ("1:05 pm", 47100.0), ("00:00", 0.0), (time(1, 2, 3), 3723.0)]
)
def test_a_time_of_day_is_seconds(cell: object, seconds: float) -> None:
    assert clock_of(cell) == seconds
    assert isnan(clock_of("25:61"))


@pytest.mark.parametrize(
    ("cell", "day_first", "at"),
    [
        ("2026-03-04", False, datetime(2026, 3, 4)),
        ("2026-03-04T05:06:07Z", False, datetime(2026, 3, 4, 5, 6, 7)),
        ("03/04/2026", False, datetime(2026, 3, 4)),
        ("03/04/2026", True, datetime(2026, 4, 3)),
        ("03.04.2026 17:30", True, datetime(2026, 4, 3, 17, 30)),
        (date(2026, 3, 4), False, datetime(2026, 3, 4)),
        ("2026-02-30", False, None),
        ("soon", False, None),
        ("Jan 31, 2026", False, datetime(2026, 1, 31)),
        ("31-Jan-2026", True, datetime(2026, 1, 31)),
        ("Mon, 5 February 2026 5:06 pm", False, datetime(2026, 2, 5, 17, 6)),
        ("2026/01/31", False, datetime(2026, 1, 31)),
        ("1/31/26", False, datetime(2026, 1, 31)),
        ("31.12.99", True, datetime(1999, 12, 31)),
        ("1.2.3", False, None),
        ("every 5 2026", False, None),
    ],
)
def test_a_moment_is_read_as_its_column_writes_it(cell: object, day_first: bool, at: datetime | None) -> None:
    assert moment_of(cell, day_first) == at


def test_of_a_date_a_model_reads_what_later_rows_can_have_too() -> None:
    assert reader_of("weekday")("2026-11-22") == 7.0
    assert reader_of("month, day first")("03/04/2026") == 4.0
    assert isnan(reader_of("hour")("never"))


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1.234,5", 1234.5), ("12,5", 12.5), ("1 234,50 €", 1234.5), ("(3,1)", -3.1), ("0,5 %", 0.5), ("7", 7.0)],
)
def test_a_column_that_writes_decimal_commas_is_read_so(cell: str, number: float) -> None:
    assert comma_number_of(cell) == number
    assert isnan(comma_number_of("1,2,3"))


def test_a_column_with_decimal_commas_is_a_number_in_training_and_in_words() -> None:
    cells = [f"{1000 + 7 * row:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".") for row in range(ROWS)]
    told = profile("budget", coded(cells))
    assert (told.kind, told.parts()) == (Kind.NUMBER, ("value, decimal comma",))
    assert reader_of(told.parts()[0])("1.234,50") == 1234.5
    assert in_words("budget", Kind.NUMBER, "1.234,50", 0.5, comma=True).value == "1,234.5"


ROWS = 120


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("age", [str(20 + row % 50) for row in range(ROWS)], Kind.NUMBER),
        ("balance", [f"{row * 7.31:.2f}" for row in range(ROWS)], Kind.NUMBER),
        ("source", [("a", "b", "c")[row % 3] for row in range(ROWS)], Kind.CATEGORY),
        ("zip", [f"0{1000 + row % 40}" for row in range(ROWS)], Kind.CATEGORY),
        ("lead_id", [str(9000 + row * 13) for row in range(ROWS)], Kind.IDENTIFIER),
        ("whatever", [str(row + 1) for row in range(ROWS)], Kind.IDENTIFIER),
        ("key", [f"x{row:05d}" for row in range(ROWS)], Kind.IDENTIFIER),
        ("created", [f"2026-01-{1 + row % 28:02d}" for row in range(ROWS)], Kind.MOMENT),
        ("called", [f"{row % 24:02d}:15" for row in range(ROWS)], Kind.CLOCK),
        ("note", [f"the person number {row} asked for a quote" for row in range(ROWS)], Kind.TEXT),
        ("same", ["x"] * ROWS, Kind.CONSTANT),
        ("seen", [f"{1 + row % 28}-Mar-26" for row in range(ROWS)], Kind.MOMENT),
        ("whom", [f"p{row % 60}@example.org" for row in range(ROWS)], Kind.IDENTIFIER),
        ("Phone", [f"212555{1000 + row % 60}" for row in range(ROWS)], Kind.IDENTIFIER),
        ("First Name", [f"Ann{row % 60}" for row in range(ROWS)], Kind.IDENTIFIER),
        ("emails sent", [str(row % 60) for row in range(ROWS)], Kind.NUMBER),
        ("email type", [("home", "work")[row % 2] for row in range(ROWS)], Kind.CATEGORY),
        ("none", [""] * ROWS, Kind.EMPTY),
        ("sometimes", ["x" if row % 2 else "" for row in range(ROWS)], Kind.CATEGORY),
    ],
)
def test_a_column_is_taken_for_what_it_holds(name: str, cells: list[str], kind: Kind) -> None:
    assert profile(name, coded(cells)).kind is kind


def test_somebody_who_knows_better_is_believed() -> None:
    told = profile("age", coded([str(row % 9) for row in range(ROWS)]), Kind.CATEGORY)
    assert (told.kind, told.why) == (Kind.CATEGORY, "as you said")


@pytest.mark.parametrize(
    ("part", "cell", "before", "now"),
    [
        ("value", "$1,234.50", 1234.5, 1234.5),
        ("value", "12 %", 12.0, 12.0),
        ("value", 7, 7.0, 7.0),
        ("value", "1.5k", None, 1500.0),
        ("value", "6m", None, 6_000_000.0),
        ("value", "(5)", None, -5.0),
        ("value", "USD 5", None, 5.0),
        ("value", 1e120, 1e120, None),
        ("value", "-$-5", None, -5.0),
        ("month", "03/04/2026", 3.0, 3.0),
        ("month, day first", "03/04/2026", 4.0, 4.0),
        ("month", "2026-05-04T10:00:00Z", 5.0, 5.0),
        ("month", date(2026, 5, 4), 5.0, 5.0),
        ("month", "03/04/26", None, 3.0),
        ("month", "4 May 2026", None, 5.0),
        ("month", "2026/05/04", None, 5.0),
        ("words", "n.a.", 1.0, None),
        ("length", "#REF!", 5.0, None),
        ("length", "n/a", None, None),
    ],
)
def test_a_model_reads_cells_as_when_it_was_trained(
    part: str, cell: object, before: float | None, now: float | None
) -> None:
    read = [reader_of(part, edition)(cell) for edition in (1, EDITION)]
    assert [None if isnan(each) else each for each in read] == [before, now]


def test_what_says_no_value_today_is_a_level_to_a_model_that_learned_it_as_one() -> None:
    level = CategoryFeature("roof", {"n.a.": (0.5, 0.7)}, missing=(0.1, 0.0), other=(0.2, 0.1))
    given = {"target": "won", "positive": "1", "base_rate": 0.5, "columns": [], "features": [level], "intercept": 0.0}
    old = msgspec.convert(msgspec.to_builtins(given), Form)
    new = msgspec.structs.replace(old, cells=EDITION)
    assert [Model(form, None, "", {}).score({"roof": " N.A."}).log_odds for form in (old, new)] == [0.7, 0.0]
