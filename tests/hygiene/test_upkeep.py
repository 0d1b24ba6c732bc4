"""How packs say how long what is known stays known."""

from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.hygiene import KINDS, read_upkeep, read_upkeeps
from leadmill.outcomes import Disposition
from leadmill.runtime.packs import load_packs

PACKS = load_packs()
COMMON: dict[str, Any] = dict(PACKS.common.files["hygiene.toml"])


def test_every_kind_weighs_and_fades_in_every_vertical() -> None:
    upkeeps = read_upkeeps(PACKS)
    assert upkeeps.keys() == PACKS.verticals.keys()
    for one in upkeeps.values():
        assert one.weights.keys() == one.half_lives.keys() == KINDS.keys()
        assert set(one.dispositions) <= {each.value for each in Disposition}


def test_a_verticals_own_word_counts() -> None:
    changed = {**COMMON, "half_lives": {**COMMON["half_lives"], "bounced": 30}}
    assert read_upkeep(changed, "x", "x").half_lives["bounced"] == 30
    assert read_upkeep(changed, "x", "x").digest != read_upkeep(COMMON, "x", "x").digest


@pytest.mark.parametrize(
    "change",
    [
        {"weights": {"bounce": 4}},
        {"half_lives": {"bounced": 0}},
        {"half_lives": {"bounced": True}},
        {"prior": [0.5]},
        {"prior": [0, 1]},
        {"words": {"hook": "bouncing"}},
        {"dispositions": {"sold": ["answer"]}},
        {"pass_from": 40},
        {"facts": {"half_lives": {"email.mx": "long"}}},
        {"keep": 4},
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        read_upkeep({**COMMON, **change}, "x", "x")
    assert refused.value.code == "hygiene.upkeep.malformed"
