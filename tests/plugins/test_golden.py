"""Every installed plug-in plays its recorded conversations and carries its card."""

from pathlib import Path

import pytest

from leadmill.runtime.plugins import Plugin, find_plugins
from tests.plugins.golden import PLAYERS, play

PLUGINS = find_plugins(PLAYERS)
GOLDEN = [(plugin, path) for plugin in PLUGINS.found for path in plugin.golden()]


def test_the_built_in_providers_are_found_by_their_entry_points() -> None:
    assert set(PLUGINS.of("leadmill.couriers")) >= {"http", "webhook", "email", "file"}
    assert set(PLUGINS.of("leadmill.bidders")) >= {"http"}
    assert set(PLUGINS.of("leadmill.messengers")) >= {"email"}
    assert set(PLUGINS.of("leadmill.facts")) >= {"http", "geography", "demography", "company"}
    assert PLUGINS.broken == ()


@pytest.mark.parametrize(("plugin", "path"), GOLDEN, ids=[f"{p.family}.{p.name}-{path.stem}" for p, path in GOLDEN])
def test_a_recorded_conversation_plays_as_recorded(plugin: Plugin, path: Path) -> None:
    play(plugin, path)


@pytest.mark.parametrize("plugin", PLUGINS.found, ids=lambda plugin: f"{plugin.family}.{plugin.name}")
def test_a_plug_in_has_a_card_and_recorded_conversations(plugin: Plugin) -> None:
    card = plugin.card()
    assert (card["name"], card["family"]) == (plugin.name, plugin.family)
    assert card["summary"]
    assert card["personal_data"]
    assert {"secrets", "regions", "price"} <= set(card)
    assert plugin.golden()
    assert plugin.provider.name == plugin.name
