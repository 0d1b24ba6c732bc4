"""What a target column says, however it is written."""

import numpy as np
import pytest

from leadmill.core.faults import BadInput
from leadmill.learning.outcomes import read_outcomes
from leadmill.learning.table import coded

NONE = float("nan")


@pytest.mark.parametrize(
    ("cells", "said", "labels", "positive"),
    [
        (["yes", "No", "Y", "1", "n", ""], None, [1, 0, 1, 1, 0, NONE], "yes"),
        (["1.0", "0.0", "1.0"], None, [1, 0, 1], "1"),
        (["Won", "Lost", "Open"], None, [1, 0, NONE], "won"),
        (["Won", "Lost", "Disqualified"], "Won", [1, 0, 0], "won"),
        (["Lost", "Won", "Open", "New"], "lost", [1, 0, NONE, NONE], "lost"),
        (["new", "won"], None, [0, 1], "won"),
        (["1", "0"], "yes", [1, 0], "yes"),
        (["True", "False"], "1.0", [1, 0], "1"),
        (["0", "1"], "0", [1, 0], "0"),
        ([">50K", "<=50K", "<=50K"], None, [1, 0, 0], ">50k"),
    ],
)
def test_an_outcome_is_read_however_it_is_written(
    cells: list[str], said: str | None, labels: list[float], positive: str
) -> None:
    found = read_outcomes(coded(cells), "t", said)
    np.testing.assert_array_equal(found.labels, np.array(labels))
    assert (found.positive, found.unknown) == (positive, int(np.isnan(labels).sum()))


@pytest.mark.parametrize(
    ("cells", "said", "code"),
    [
        (["won", "lost", "disqualified"], None, "learning.target.values"),
        (["won", "lost"], "perhaps", "learning.target.values"),
        (["yes", "y"], None, "learning.target.single"),
        (["yes", "yes"], "yes", "learning.target.single"),
        (["", "?"], None, "learning.target.single"),
        ([str(row) for row in range(9)], None, "learning.target.values"),
    ],
)
def test_what_is_no_outcome_is_refused(cells: list[str], said: str | None, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_outcomes(coded(cells), "t", said)
    assert refused.value.code == code
