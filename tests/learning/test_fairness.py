"""Groups are compared by how often they pass and by whether their chances hold; either alone can look fine."""

import numpy as np
import pytest

from leadmill.learning.fairness import audit
from leadmill.learning.kinds import profile
from leadmill.learning.proxies import proxies
from leadmill.learning.table import coded
from tests.learning.made import leads, table

ROWS = 4_000


def made(shift_b: float = 0.0, wrong_b: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chances that hold, with group b shifted by as much, and the scores of b wrong by as much."""
    draw = np.random.default_rng(4)
    group = np.where(draw.random(ROWS) < 0.4, "b", "a")
    chances = np.clip(draw.beta(2.0, 3.0, ROWS) + np.where(group == "b", shift_b, 0.0), 0.01, 0.99)
    labels = (draw.random(ROWS) < chances).astype(np.float64)
    return group, labels, np.clip(chances + np.where(group == "b", wrong_b, 0.0), 0.01, 0.99)


@pytest.mark.parametrize(
    ("shift", "wrong", "passes", "says"),
    [
        (0.0, 0.0, True, ""),
        (-0.2, 0.0, False, "of the best"),
        (0.0, -0.1, False, "mean score"),
        (-0.1, 0.1, False, "mean score"),  # as many pass, but b's chances are wrong
    ],
)
def test_an_audit_asks_both(shift: float, wrong: float, passes: bool, says: str) -> None:
    group, labels, chances = made(shift, wrong)
    found = audit("group", coded(group.tolist()), labels, chances)
    assert found.passes is passes
    assert says in " ".join(found.says)
    assert [one.name for one in found.groups] == ["a", "b"]


def test_a_group_of_few_is_told_and_not_judged() -> None:
    group, labels, chances = made()
    group[:20] = "c"
    found = audit("group", coded(group.tolist()), labels, chances)
    assert found.small == ("c",)
    assert all("c" not in one.selected for one in found.thresholds)


def test_columns_that_tell_the_attribute_are_named() -> None:
    columns, _ = leads(900)
    draw = np.random.default_rng(8)
    columns["street"] = [
        ("north" if draw.random() < 0.9 else "south") if one == "a" else "south" for one in columns["group"]
    ]
    whole = table(columns)
    used = [profile(name, whole.columns[name]) for name in ("visits", "source", "street")]
    (found,) = proxies(whole, used, ["group"], 1)
    assert not found.passes
    assert [name for name, _ in found.columns] == ["street"]
    (honest,) = proxies(whole, used[:2], ["group"], 1)
    assert honest.passes
