"""Reading what counts from packs, and the page that says so: no more and no less than the code knows."""

import re
import tomllib
from typing import Any

import msgspec
import pytest

from leadmill.core.faults import BadInput
from leadmill.fraud import KINDS, SIGNALS, read_card, read_fraud_cards
from leadmill.outcomes import Disposition
from leadmill.runtime.packs import Packs, load_packs
from tests.docs.pages import ROOT, blocks

PACKS = load_packs()
PAGE = (ROOT / "docs/fraud.md").read_text(encoding="utf-8")
CARDS = read_fraud_cards(PACKS)


def packs_with(fraud: Any) -> Packs:
    """The packs, solar with this ``[fraud]`` table."""
    solar = PACKS.verticals["solar"]
    files = {**solar.files, "pack.toml": {**solar.files["pack.toml"], "fraud": fraud}}
    return msgspec.structs.replace(
        PACKS, verticals={**PACKS.verticals, "solar": msgspec.structs.replace(solar, files=files)}
    )


def test_every_vertical_has_a_card_and_holds_only_what_is_surely_odd() -> None:
    assert set(CARDS) == set(PACKS.verticals)
    for card in CARDS.values():
        assert (card.review_at, card.reject_at) == (90, 101)
        assert max(card.weights.values()) < card.review_at, "no signal holds a lead by itself"


def test_every_signal_is_weighed_and_every_disposition_that_burns_exists() -> None:
    card = CARDS["solar"]
    assert set(card.weights) == set(SIGNALS)
    assert set(card.returns) <= {each.value for each in Disposition}


def test_the_page_lists_every_signal_with_its_family_weight_and_words() -> None:
    rows = re.findall(r"^\| `([a-z.]+)` \| ([a-z]+) \| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    card = CARDS["solar"]
    assert rows == [(code, one.family, str(card.weights[code]), one.says) for code, one in SIGNALS.items()], (
        "docs/fraud.md"
    )


def test_the_page_names_every_key_of_a_card_and_every_name_of_a_forms_context() -> None:
    part = PAGE.partition("## Settings of a pack")[2]
    named = {word for row in re.findall(r"^\| (`.+?) \|", part, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)}
    assert named == set(PACKS.common.files["fraud.toml"]) - {"version"}
    form = PAGE.partition("## How a form was filled in")[2].partition("## ")[0]
    told = set(re.findall(r"^\| `(\w+)` \|", form, re.MULTILINE))
    assert told and told <= set(PACKS.common.files["fields.toml"]["context"])


def test_a_vertical_changes_single_keys_and_keeps_the_rest() -> None:
    [block] = blocks("toml", "fraud")
    cards = read_fraud_cards(packs_with(tomllib.loads(block.text)["fraud"]))
    solar, other = cards["solar"], CARDS["solar"]
    assert (solar.review_at, solar.reject_at) == (80, 97)
    assert solar.weights == {**other.weights, "recycled.vertical": 0}
    assert solar.limits["ip"] == (10, 60, 200) and solar.limits["phone"] == other.limits["phone"]
    assert solar.digest != other.digest
    assert cards["legal"].limits == CARDS["legal"].limits


def test_all_cards_keep_as_much_of_a_mark_as_the_one_that_looks_farthest() -> None:
    cards = read_fraud_cards(packs_with({"limits": {"phone": {"30d": 900}}, "keep_days": {"phone": 800}}))
    for card in cards.values():
        assert card.keep["phone"] == 901 and card.days["phone"] == 800
    assert set(CARDS["solar"].keep) == set(KINDS)


def test_a_limit_of_none_is_no_limit_and_a_source_may_have_one() -> None:
    card = read_card({"limits": {"phone": {"1h": 0}, "source": {"24h": 500}}}, "solar", "a card")
    assert "phone" not in card.limits and card.limits["source"] == (500,) and card.windows["source"] == (86_400,)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"weights": {"velocity.fone": 3}}, "there is no such signal; did you mean 'velocity.phone'?"),
        ({"weights": {"form.fast": 100}}, "must be a whole number from 0 to 99"),
        ({"limits": {"address": {"1h": 3}}}, "nothing is counted by 'address' here"),
        ({"limits": {"phone": {"1mo": 3}}}, "write a window such as 1h, 24h or 30d"),
        ({"limits": {"phone": {"1h": 5_001}}}, "must be a whole number from 0 to 5000"),
        ({"limits": {"phone": 3}}, "must be a table"),
        ({"review_at": 90, "reject_at": 80}, "must not be over reject_at (80)"),
        ({"review_at": 0}, "must be a whole number from 1 to 101"),
        ({"shared": ["203.0.113.7/24"]}, "is no network such as 203.0.113.0/24"),
        ({"burst": {"factor": 0.5}}, "must be a number from 1 to 1000"),
        ({"thresholds": 3}, "is not a key here"),
        ({"age": {"recycled": 3}}, "is not a key here; did you mean 'recycled_days'?"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_card(raw, "solar", "solar/pack.toml, fraud")
    assert refused.value.code == "fraud.card.malformed"
    assert refused.value.detail.startswith("solar/pack.toml, fraud") and says in refused.value.detail


def test_a_fraud_table_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="is not a key here"):
        read_fraud_cards(packs_with("off"))
