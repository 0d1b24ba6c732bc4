"""A card that changes by a file says why, as on the page."""

import json
from typing import Any

import pytest

from leadmill.capture import read_verticals
from leadmill.core.faults import BadInput
from leadmill.flow.configure import declare
from leadmill.flow.explaining import explained
from leadmill.runtime.packs import load_packs

VERTICALS = read_verticals(load_packs())
CARD: dict[str, Any] = {"vertical": "solar", "card": {"version": 1, "start": 50}, "paths": {"sell_from": 40}}
OTHER = CARD | {"paths": {"sell_from": 45}}


@pytest.mark.parametrize(
    ("before", "now", "why", "said"),
    [
        (None, CARD, "", ""),
        (CARD, CARD, "", ""),
        (CARD | {"why": "x"}, CARD, "", "x"),
        (CARD | {"why": "x"}, CARD, "y", "x"),
        (CARD, OTHER, "too many", "too many"),
        (CARD, OTHER | {"why": "own"}, "too many", "own"),
        (CARD | {"why": "old"}, OTHER | {"why": "old"}, "new", "new"),
        (CARD, {"vertical": "Solar", "retired": True}, "new", "new"),
    ],
)
def test_a_reason_is_asked_for_a_card_that_changes_and_for_no_other(
    before: dict[str, Any] | None, now: dict[str, Any], why: str, said: str
) -> None:
    standing = {("scorecard", "solar"): json.dumps(before)} if before is not None else {}
    (found,) = explained([declare("scorecard", now, "a file")], standing, VERTICALS, why)
    assert found.raw.get("why", "") == said


@pytest.mark.parametrize("now", [OTHER, OTHER | {"why": "old"}, OTHER | {"why": ""}])
def test_a_change_without_a_reason_of_its_own_is_refused_with_the_place(now: dict[str, Any]) -> None:
    standing = {("scorecard", "solar"): json.dumps(CARD | {"why": "old"})}
    with pytest.raises(BadInput, match=r"a file: the card of solar changes: say why") as refused:
        explained([declare("scorecard", now, "a file")], standing, VERTICALS)
    assert refused.value.code == "scoring.card.unexplained"
    order = declare("order", {"id": "a", "vertical": "solar"}, "a file")
    assert explained([order], standing, VERTICALS) == [order]
