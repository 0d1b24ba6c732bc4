"""Rules as they would be under another file: its records take the place of those in force, the others stay."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from leadmill.capture import read_verticals
from leadmill.core.faults import BadInput
from leadmill.flow.configure import changed_rules, read_files
from leadmill.flow.rules import NO_DIALECTS, Rules
from leadmill.flow.whatif import as_weighed
from leadmill.market import Room, read_order
from leadmill.market.worths import Worths
from leadmill.parties import Roster, read_buyer, read_source, read_team
from leadmill.runtime.packs import BUILT_IN, load_packs

PACKS = load_packs(BUILT_IN)
VERTICAL = sorted(PACKS.verticals)[0]


def order(ident: str, price: str, **more: Any) -> dict[str, Any]:
    return {"id": ident, "buyer": "helio", "vertical": VERTICAL, "price": price, **more}


def rules() -> Rules:
    values: dict[str, Any] = dict.fromkeys(Rules.__slots__)
    values["roster"] = Roster(
        {"acme": read_source({"id": "acme", "name": "Acme", "verticals": [VERTICAL]})},
        {"helio": read_buyer({"id": "helio", "name": "Helio"})},
        {"west": read_team({"id": "west", "name": "West"})},
    )
    values["orders"] = {ident: read_order(order(ident, "65.00")) for ident in ("one", "two")}
    values["forms"], values["cards"] = {}, {}
    values["verticals"] = read_verticals(PACKS)
    values["dialects"] = NO_DIALECTS
    return Rules(**values)


def under(folder: Path, text: str) -> Rules:
    path = folder / "other.toml"
    path.write_text(text)
    return changed_rules(read_files([path]), PACKS)(rules())


def test_a_record_of_the_file_replaces_the_one_in_force_and_the_others_stay(tmp_path: Path) -> None:
    found = under(tmp_path, f'[[order]]\nid = "one"\nbuyer = "helio"\nvertical = "{VERTICAL}"\nprice = "70.00"\n')
    assert found.orders["one"] == read_order(order("one", "70.00"))
    assert found.orders["two"] == rules().orders["two"]
    assert found.roster == rules().roster
    assert rules().orders["one"] == read_order(order("one", "65.00"))


def test_retired_parties_and_orders_leave(tmp_path: Path) -> None:
    found = under(
        tmp_path,
        '[[order]]\nid = "one"\nretired = true\n[[team]]\nid = "west"\nretired = true\n'
        '[[buyer]]\nid = "helio"\nname = "Helio"\nretired = true\n',
    )
    assert set(found.orders) == {"two"}
    assert (found.roster.teams, found.roster.buyers) == ({}, {})


def test_keys_play_no_part_and_need_no_environment(tmp_path: Path) -> None:
    found = under(tmp_path, '[[buyer]]\nid = "new"\nname = "New"\nkey = { env = "NOT_SET_ANYWHERE" }\n')
    assert set(found.roster.buyers) == {"helio", "new"}


def test_what_refers_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no buyer 'hello'; did you mean 'helio'"):
        under(tmp_path, f'[[order]]\nid = "one"\nbuyer = "hello"\nvertical = "{VERTICAL}"\nprice = "70.00"\n')
    with pytest.raises(BadInput, match="no order three to retire"):
        under(tmp_path, '[[order]]\nid = "three"\nretired = true\n')


def test_an_auction_is_weighed_by_the_chances_of_then_and_has_the_room_of_now() -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)
    now, then = Room(at, funds={"helio": 5}), Room(at, funds={"helio": 9}, worths=Worths(wins={"west": 4_000}))
    assert as_weighed(now, (then,)) == Room(at, funds={"helio": 5}, worths=then.worths)
    assert as_weighed(now, (Room(at),)) == as_weighed(now, ()) == now
