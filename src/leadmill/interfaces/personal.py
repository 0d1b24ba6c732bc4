"""Where personal data goes as things stand: the data map and the agreements, drawn from the rules in force and the
installed plug-ins.

Used by the console and the command line.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import leadmill.flow.upkeep.tables  # noqa: F401 nobody else imports this table, which is named in SQL alone
from leadmill.flow.rules import Rules
from leadmill.privacy import DataMap, Partner, Standing, draw_map, review, schema
from leadmill.runtime.plugins import Plugins, find_plugins

Cards = Mapping[tuple[str, str], Mapping[str, Any]]


@cache
def installed() -> Plugins:
    """The plug-ins of this program: they change with the installation alone."""
    return find_plugins()


def _cards(plugins: Plugins) -> Cards:
    return {(one.family, one.name): one.card() for one in plugins.found}


def map_now(rules: Rules, plugins: Plugins) -> DataMap:
    """The data map under the rules in force."""
    return draw_map(
        schema(),
        rules.retention,
        rules.verticals,
        rules.roster,
        rules.enrichment,
        _cards(plugins),
        rules.agreements,
        rules.dialects.outbound,
    )


def agreements_now(rules: Rules, plugins: Plugins, day: date) -> list[Standing]:
    """How it stands with every buyer, and with every provider and messenger that something personal goes to."""
    partners: list[tuple[Partner, str, str]] = [
        (one.kind, one.id, one.name) for one in map_now(rules, plugins).goes if one.kind in ("provider", "messenger")
    ]
    found = review(rules.agreements.values(), rules.roster.buyers, partners, day)
    return [one for one in found if one.partner != "messenger" or rules.mail or one.id != "email"]
