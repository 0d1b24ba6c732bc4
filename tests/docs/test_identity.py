"""The settings on the page of identity are those that a pack may have, with the values that hold where it has none."""

import tomllib

from leadmill.capture import Matching
from leadmill.capture.verticals import read_vertical
from leadmill.runtime.packs import Pack, load_packs
from tests.docs.pages import blocks


def test_the_settings_of_the_page_are_the_usual_ones() -> None:
    (block,) = blocks("toml", "identity")
    head = {"title": "Example", "dedupe_window_days": 30, **tomllib.loads(block.text)}
    files = {"pack.toml": head, "fields.toml": {"fields": {}}}
    assert set(head["identity"]) == set(Matching.__struct_fields__)
    assert read_vertical(Pack("verticals", "example", "0", files), load_packs().common).matching == Matching()
