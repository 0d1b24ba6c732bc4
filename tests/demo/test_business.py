"""The demo business: Leadmill takes it as it is, and its parts agree with one another."""

import os
import subprocess
from collections import Counter
from pathlib import Path

import zipcodes

from leadmill.core.ids import Mint
from leadmill.delivery import read_delivery
from leadmill.flow.changes import What
from leadmill.flow.configure import apply_files
from leadmill.market import Mode, Order
from leadmill.runtime.db import Database
from leadmill_demo import environment, prepare, render
from leadmill_demo.behaviour import MANNERS
from leadmill_demo.business import read_env
from leadmill_demo.enquiries import ASK
from leadmill_demo.places import PLACES
from leadmill_demo.senders import SENDERS
from leadmill_demo.world import BY_MAIL
from leadmill_plugins.couriers.email import courier as email
from leadmill_plugins.couriers.file import courier as file
from leadmill_plugins.couriers.http import courier as http
from leadmill_plugins.couriers.webhook import courier as webhook
from tests.conftest import FixedClock
from tests.demo.business import buyers, keyed_hash, of_kind, planned, sources, verticals

COURIERS = {courier.name: courier for courier in (email, file, http, webhook)}


def test_the_business_is_as_large_as_it_is_said_to_be() -> None:
    kinds = Counter(record.kind for record in planned().records)
    assert len({order.vertical for order in of_kind("order").values()}) >= 5
    assert kinds["source"] >= 6 and kinds["buyer"] >= 20 and kinds["team"] == 1 and kinds["form"] == 2


async def test_the_business_is_applied_and_applied_again_without_a_change(
    db: Database, clock: FixedClock, mint: Mint, tmp_path: Path
) -> None:
    made = prepare(tmp_path / "demo", 9191, 9192)

    async def apply() -> Counter[What]:
        found = await apply_files(
            db,
            [made.business],
            author="demo",
            now=clock(),
            mint=mint,
            keyed_hash=keyed_hash,
            environ=read_env(made.keys.read_text()),
            verticals=verticals(),
        )
        return Counter(record.what for record in found.records)

    assert set(await apply()) == {What.CREATED}
    assert set(await apply()) == {What.UNCHANGED}


def test_another_port_changes_addresses_only() -> None:
    assert render(9999).replace(":9999", ":8081") == render(8081)
    assert "{world}" not in render() and "{ailing}" not in render()


def test_every_delivery_contents_its_courier() -> None:
    for buyer in buyers().values():
        read_delivery(buyer.delivery, buyer.id, COURIERS)
    assert {buyer.delivery["courier"] for buyer in buyers().values()} == set(COURIERS)


def test_every_key_of_the_business_is_in_the_environment_and_none_is_left_over() -> None:
    named = {name for name in environment() if name.startswith("DEMO_")}
    assert named == {name for name in environment() if f'"{name}"' in render()}


def test_a_shell_reads_the_environment_as_we_do(tmp_path: Path) -> None:
    made = prepare(tmp_path)
    shell = subprocess.run(
        ["sh", "-c", f"set -a; . {made.keys}; env -0"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    seen = dict(line.split("=", 1) for line in shell.stdout.decode().split("\0") if "=" in line)
    assert made.environ.items() <= seen.items()
    assert read_env(made.keys.read_text()) == made.environ


def test_every_buyer_over_http_has_a_stand_in_and_the_others_a_mailbox_or_a_folder() -> None:
    for buyer in buyers().values():
        spec = buyer.delivery
        if spec["courier"] in ("http", "webhook"):
            assert f"/buyers/{buyer.id}/" in spec["url"]
            assert MANNERS[buyer.id].name == buyer.name
        elif spec["courier"] == "email":
            name, _, domain = BY_MAIL[buyer.id]
            to = [spec["to"]] if isinstance(spec["to"], str) else spec["to"]
            assert name == buyer.name and all(address.endswith(f"@{domain}") for address in to)
    assert set(MANNERS) | set(BY_MAIL) <= set(buyers())


def test_every_source_that_sends_is_known_and_may_send_what_it_sends() -> None:
    for sender in SENDERS:
        assert sender.vertical in sources()[sender.source].verticals
        assert f'key = {{ env = "{sender.key}" }}' in render()
        assert sender.vertical in ASK
    assert {sender.source for sender in SENDERS} == set(sources())


def test_pages_and_forms_name_companies_that_buy_their_vertical() -> None:
    names = {
        vertical: {buyers()[order.buyer].name for order in of_kind("order").values() if order.vertical == vertical}
        for vertical in ASK
    }
    for sender in SENDERS:
        assert set(sender.sellers) <= names[sender.vertical], sender
    for form in of_kind("form").values():
        assert set(form.consent.sellers) <= names[form.vertical]
        assert all(name in form.consent.text for name in form.consent.sellers)


def test_each_vertical_has_a_buyer_that_never_closes_and_never_runs_dry() -> None:
    def lasting(order: Order) -> bool:
        credit = buyers()[order.buyer or ""].credit
        return not order.caps and not order.schedule and credit.mode == "invoice" and credit.limit is None

    lasts = {order.vertical for order in of_kind("order").values() if lasting(order)}
    assert lasts >= set(ASK)


def test_orders_show_everything_an_order_may_ask_for() -> None:
    orders = list(of_kind("order").values())
    assert {order.mode for order in orders} == set(Mode)
    assert any(order.schedule for order in orders) and any(order.budget for order in orders)
    assert any(order.min_score for order in orders)
    assert {cap.per.value for order in orders for cap in order.caps} >= {"hour", "day", "month"}


def test_places_are_as_the_post_and_the_number_plan_know_them() -> None:
    for place in PLACES:
        known = zipcodes.matching(place.zip)[0]
        assert (known["city"], known["state"]) == (place.city, place.state)
        assert set(place.area_codes) <= set(known["area_codes"])
