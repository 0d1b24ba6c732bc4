"""A stranger's package registers by its metadata alone and works like a built-in courier."""

import shutil
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadmill.core.faults import BadInput
from leadmill.core.reading import Table
from leadmill.delivery import Parcel, compose, read_delivery, read_reply
from leadmill.market import read_ping
from leadmill.runtime.drop import Drop
from leadmill.runtime.plugins import Plugins, find_plugins
from tests.plugins.golden import play

HOME = Path(__file__).parents[1] / "stranger_plugin"


def install(target: Path, name: str, points: dict[str, dict[str, str]]) -> None:
    """What an installer leaves behind of a package: its code and its metadata."""
    shutil.copytree(HOME / "src", target, dirs_exist_ok=True)
    info = target / f"{name.replace('-', '_')}-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.3\n")
    lines = [f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in those.items()) for group, those in points.items()]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugins]:
    project = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
    install(tmp_path / "site", project["name"], project["entry-points"])
    install(
        tmp_path / "more", "aaa-rival", {"leadmill.couriers": {"http": "nowhere:courier", "post": "pigeon:nothing"}}
    )
    for folder in ("site", "more"):
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    yield find_plugins()
    sys.modules.pop("pigeon", None)
    sys.modules.pop("crow", None)


def test_a_strangers_courier_is_found_and_plays_its_conversations(installed: Plugins) -> None:
    pigeon = next(plugin for plugin in installed.found if plugin.name == "pigeon")
    assert (pigeon.package, pigeon.version, pigeon.card()["price"]) == ("leadmill-pigeon", "0.3", "grain")
    for path in pigeon.golden():
        play(pigeon, path)


def test_a_strangers_bidder_is_found_and_heard_when_configuration_is_applied(installed: Plugins) -> None:
    crow = next(plugin for plugin in installed.found if plugin.name == "crow")
    assert (crow.family, crow.card()["price"]) == ("leadmill.bidders", "shiny things")
    for path in crow.golden():
        play(crow, path)
    bidders = installed.of("leadmill.bidders")
    with pytest.raises(BadInput, match="nest"):
        read_ping(Table({"ping": {"bidder": "crow", "url": "https://crows.example"}}, "order"), bidders=bidders)


async def test_a_lead_travels_by_a_strangers_courier(installed: Plugins, tmp_path: Path) -> None:
    couriers = installed.of("leadmill.couriers")
    spec = read_delivery(
        {"courier": "pigeon", "options": {"loft": "north"}, "fields": {"n": "first_name"}}, couriers=couriers
    )
    at = datetime(2026, 3, 2, tzinfo=UTC)
    parcel = Parcel("dlv_1", "lead_1", "sale_1", "helio", "solar", at, fields={"first_name": "Ana"})
    reply = await Drop(tmp_path / "loft").perform(compose(couriers, spec, parcel))  # type: ignore[arg-type]
    assert read_reply(couriers, spec, parcel, reply).buyer_ref == "feather 11"
    assert (tmp_path / "loft/north/dlv_1.txt").read_bytes() == b'{"n":"Ana"}'


def test_a_strangers_demands_are_heard_when_configuration_is_applied(installed: Plugins) -> None:
    with pytest.raises(BadInput, match="loft"):
        read_delivery({"courier": "pigeon"}, couriers=installed.of("leadmill.couriers"))


def test_a_broken_plug_in_is_reported_and_stops_nothing(installed: Plugins) -> None:
    told = {(one.package, one.name, one.problem) for one in installed.broken}
    assert ("aaa-rival", "post", "AttributeError") in told
    assert ("aaa-rival", "http", "ModuleNotFoundError") in told
    assert {"http", "pigeon"} <= set(installed.of("leadmill.couriers"))
