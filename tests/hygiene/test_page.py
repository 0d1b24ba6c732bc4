"""The page on hygiene holds what the code knows."""

import re
import tomllib

import pytest

from leadmill.core.faults import BadInput
from leadmill.hygiene import KINDS, read_reverify, read_upkeeps
from leadmill.runtime.packs import load_packs
from tests.house.sources import ROOT

PAGE = (ROOT / "docs/hygiene.md").read_text("utf-8")


def test_every_kind_is_listed_with_what_it_says_weighs_and_how_fast_it_fades() -> None:
    upkeep = read_upkeeps(load_packs())["solar"]
    said = re.findall(r"^\| `(\w+)` \| (e-mail|phone) \| (.+?) \|", PAGE, re.MULTILINE)
    channels = {"e-mail": "email", "phone": "phone"}
    assert {kind: (channels[of], says) for kind, of, says in said} == {k: (v.channel, v.says) for k, v in KINDS.items()}
    weighed = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (\d+) days \|$", PAGE, re.MULTILINE)
    assert {kind: (float(weight), float(days)) for kind, weight, days in weighed} == {
        kind: (upkeep.weights[kind], upkeep.half_lives[kind]) for kind in KINDS
    }


def test_the_schedule_on_the_page_is_one_and_every_key_is_listed() -> None:
    (text,) = re.findall(r"```toml\n(\[\[reverify\]\].*?)```", PAGE, re.DOTALL)
    (raw,) = tomllib.loads(text)["reverify"]
    found = read_reverify(raw)
    assert (found.id, found.every, found.per_day, found.spend) == ("kept-warm", "90d", 200, 20_000_000)
    listed = re.findall(
        r"^\| `(\w+)` \| ", PAGE.partition("### ")[0].partition("## Asked about again")[2], re.MULTILINE
    )
    assert set(listed) == set(type(found).__struct_fields__)


@pytest.mark.parametrize(
    "change",
    [
        {"every": "often"},
        {"every": "12h"},
        {"every": "0d"},
        {"states": ["sold"]},
        {"states": []},
        {"per_day": 0},
        {"spend": 20},
        {"spend": "-1"},
        {"vertical": "solar"},
    ],
)
def test_a_schedule_that_cannot_be_meant_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInput) as refused:
        read_reverify({"id": "warm", **change})
    assert refused.value.code == "config.reverify.malformed"
