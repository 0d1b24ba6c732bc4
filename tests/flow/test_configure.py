"""Configuration as code: what the contract shows is applied, twice is once, and a mistake changes nothing."""

import asyncio
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from leadmill.capture import FieldSpec, Vertical
from leadmill.core.faults import BadInput
from leadmill.core.ids import Mint
from leadmill.core.money import Money
from leadmill.flow.changes import Difference, What
from leadmill.flow.configure import apply_files, read_text
from leadmill.flow.planning import Plan, plan
from leadmill.flow.rules import Dialects
from leadmill.parties import KEY_PURPOSE, Credit, build_roster, load_keys
from leadmill.runtime.db import Database
from leadmill.runtime.dialect import read_profiles
from leadmill.runtime.packs import load_packs
from leadmill.runtime.plugins import find_plugins
from leadmill.runtime.records import history, latest, snapshot

CONTRACT = """
[[source]]
id = "acme-media"
name = "Acme Media"
key = { env = "ACME_KEY" }
verticals = ["solar"]
payout = { model = "share", rate = "0.70" }

[[buyer]]
id = "helio"
name = "Helio Solar LLC"
key = { env = "HELIO_KEY" }
credit = { mode = "prepay", balance = "5000.00" }
contract = { signed = 2026-01-05, privacy_terms = true }
licences = [{ kind = "CSLB", number = "1012345", states = ["CA"], expires = 2027-06-30 }]
delivery = { courier = "http", url = "http://127.0.0.1:9001/leads", format = "json", secret = { env = "HELIO_HOOK" } }

[[team]]
id = "west"
name = "West inside sales"
reps = [{ id = "ana", email = "ana@example.com", zips = ["94*", "95*"], capacity = 20 }]

[[order]]
id = "helio-ca"
buyer = "helio"
vertical = "solar"
where = [
  { field = "state", in = ["CA", "AZ"] },
  { field = "monthly_bill", gte = 120 },
  { not = { field = "zip", prefix = ["900"] } },
]
mode = "exclusive"
price = "65.00"
shared_price = "18.00"
max_legs = 4
caps = [ { per = "day", leads = 50 }, { per = "hour", leads = 10 }, { per = "month", spend = "20000.00" } ]
schedule = { tz = "America/Los_Angeles", open = ["mon-fri 08:00-18:00", "sat 09:00-13:00"] }
min_score = 40
priority = 1
ping = { url = "http://127.0.0.1:9001/ping", timeout_ms = 500 }

[[form]]
id = "quote"
vertical = "solar"
source = "acme-media"
title = "A quote"
steps = [{ title = "You", fields = ["email"] }]
"""
ENVIRON = {"ACME_KEY": "acme-key-1234", "HELIO_KEY": "helio-key-1234"}
VERTICALS = {
    "solar": Vertical(name="solar", title="Solar", fields={"email": FieldSpec(name="email")}),
    "legal": Vertical(name="legal", title="Legal", fields={"email": FieldSpec(name="email")}),
}


def keyed_hash(purpose: str, text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16, key=purpose.encode()).digest()


class Desk:
    """Applies texts as files to one database."""

    def __init__(self, db: Database, clock: Any, mint: Mint, folder: Path) -> None:
        self.db, self.clock, self.mint, self.folder = db, clock, mint, folder
        self.environ = dict(ENVIRON)
        self.accounts: list[tuple[str, Credit]] = []
        self.bidders = dict(find_plugins().of("leadmill.bidders"))
        self.couriers = dict(find_plugins().of("leadmill.couriers"))
        self.profiles = read_profiles(load_packs())

    async def apply(self, *texts: str, dry_run: bool = False, author: str = "ana") -> Difference:
        paths = []
        for number, text in enumerate(texts):
            paths.append(self.folder / f"part{number}.toml")
            paths[-1].write_text(text)
        return await apply_files(
            self.db,
            paths,
            author=author,
            now=self.clock(),
            mint=self.mint,
            keyed_hash=keyed_hash,
            environ=self.environ,
            verticals=VERTICALS,
            on_buyer=self.on_buyer,
            dry_run=dry_run,
            dialects=Dialects(outbound=self.profiles, bidders=self.bidders, couriers=self.couriers),
        )

    async def on_buyer(self, tx: Any, buyer_id: str, credit: Credit, now: datetime, mint: Mint) -> None:
        self.accounts.append((buyer_id, credit))

    async def standing(self) -> dict[tuple[str, str], Any]:
        async with self.db.begin() as tx:
            found = await snapshot(tx)
        return {key: msgspec.json.decode(body) for key, body in found.documents.items()}

    async def keys(self) -> dict[bytes, str]:
        async with self.db.begin() as tx:
            return {digest: caller.owner for digest, caller in (await load_keys(tx)).callers.items()}


@pytest.fixture
def desk(db: Database, clock: Any, mint: Mint, tmp_path: Path) -> Desk:
    return Desk(db, clock, mint, tmp_path)


async def test_the_contract_s_example_is_applied_and_twice_is_once(desk: Desk) -> None:
    first = await desk.apply(CONTRACT)
    assert (first.revision, first.count(What.CREATED), len(first.records)) == (1, 5, 5)
    again = await desk.apply(CONTRACT)
    assert (again.revision, again.count(What.UNCHANGED), again.changes) == (1, 5, ())
    assert list(again.tell()) == ["5 unchanged; revision 1"]
    async with desk.db.begin() as tx:
        roster = build_roster((await snapshot(tx)).documents)
    assert roster.buyers["helio"].credit == Credit("prepay", balance=Money(500000))
    assert roster.teams["west"].reps[0].capacity == 20
    assert desk.accounts == [("helio", Credit("prepay", balance=Money(500000)))]
    assert await desk.keys() == {
        keyed_hash(KEY_PURPOSE, "acme-key-1234"): "acme-media",
        keyed_hash(KEY_PURPOSE, "helio-key-1234"): "helio",
    }


async def test_no_key_is_stored_or_shown(desk: Desk) -> None:
    first = await desk.apply(CONTRACT)
    seen = str(await desk.standing()) + msgspec.json.encode(first).decode()
    assert all(key not in seen for key in ENVIRON.values())
    desk.environ["ACME_KEY"] = "acme-key-5678"
    second = await desk.apply(CONTRACT)
    assert list(second.tell()) == [
        "source acme-media: changed",
        "    key: another one",
        "1 changed, 4 unchanged; revision 2",
    ]
    assert keyed_hash(KEY_PURPOSE, "acme-key-1234") not in await desk.keys()
    assert keyed_hash(KEY_PURPOSE, "acme-key-5678") in await desk.keys()


async def test_a_dry_run_shows_the_difference_and_writes_nothing(desk: Desk) -> None:
    await desk.apply(CONTRACT)
    changed = CONTRACT.replace('"65.00"', '"70.00"').replace("min_score = 40\n", "").replace('"15', '"15')
    shown = await desk.apply(changed, '[[team]]\nid = "east"\nname = "East"\n', dry_run=True)
    assert list(shown.tell()) == [
        "order helio-ca: changed",
        "    price: 65.00 → 70.00",
        "    min_score: 40 → left out",
        "team east: created",
        "1 created, 1 changed, 4 unchanged; revision 2 (dry run)",
    ]
    assert (await desk.standing())["order", "helio-ca"]["price"] == "65.00"
    async with desk.db.begin() as tx:
        assert await latest(tx) == 1
    done = await desk.apply(changed, '[[team]]\nid = "east"\nname = "East"\n', author="ben")
    assert (done.revision, done.records) == (2, shown.records)
    async with desk.db.begin() as tx:
        assert [(one.revision, one.author) for one in await history(tx, "order", "helio-ca")] == [
            (2, "ben"),
            (1, "ana"),
        ]


async def test_records_no_file_mentions_stay(desk: Desk) -> None:
    await desk.apply(CONTRACT)
    await desk.apply('[[order]]\nid = "second"\nbuyer = "helio"\nvertical = "solar"\nprice = "30.00"\n')
    assert set(await desk.standing()) == {
        ("source", "acme-media"),
        ("buyer", "helio"),
        ("team", "west"),
        ("order", "helio-ca"),
        ("order", "second"),
        ("form", "quote"),
    }


async def test_retired_takes_a_record_out_of_play(desk: Desk) -> None:
    await desk.apply(CONTRACT)
    gone = "".join(f'[[{kind}]]\nid = "{ident}"\nretired = true\n' for kind, ident in await desk.standing())
    done = await desk.apply(gone)
    assert (done.count(What.RETIRED), len(done.records)) == (5, 5)
    async with desk.db.begin() as tx:
        roster = build_roster((await snapshot(tx)).documents)
    assert (roster.sources, roster.buyers, roster.teams) == ({}, {}, {})
    left = await desk.standing()
    assert left["order", "helio-ca"]["retired"] is True
    assert ("form", "quote") not in left
    assert len(await desk.keys()) == 2
    back = await desk.apply(CONTRACT)
    assert (back.count(What.CREATED), back.count(What.CHANGED)) == (1, 4)


async def test_retiring_what_was_never_there_is_refused(desk: Desk) -> None:
    with pytest.raises(BadInput, match="there is no order nope to retire"):
        await desk.apply('[[order]]\nid = "nope"\nretired = true\n')


async def test_one_mistake_anywhere_changes_nothing_and_all_are_told(desk: Desk) -> None:
    bad = CONTRACT.replace('buyer = "helio"', 'buyer = "hellio"').replace("zips =", "zip =")
    with pytest.raises(BadInput) as caught:
        await desk.apply(bad, '[[source]]\nid = "b"\nname = "B"\nverticals = ["soler"]\n')
    assert caught.value.code == "config.files.invalid"
    assert [(entry.pointer, entry.code, entry.detail) for entry in caught.value.errors] == [
        (
            "part0.toml#/team/0/reps/0/zip",
            "config.record.malformed",
            "team west, reps[0], zip: is not a key here; did you mean 'zips'?",
        ),
        (
            "part0.toml#/order/0",
            "config.reference.unknown",
            "order helio-ca: there is no buyer 'hellio'; did you mean 'helio'?",
        ),
        (
            "part1.toml#/source/0",
            "config.reference.unknown",
            "source b: there is no vertical 'soler'; did you mean 'solar'?",
        ),
    ]
    assert await desk.standing() == {}
    assert desk.accounts == []


@pytest.mark.parametrize(
    ("ping", "says"),
    [
        ('bidder = "htp"', "bidder: no bidder 'htp' is installed; did you mean 'http'?"),
        ('format = "csv"', "format: must be json, form or xml"),
    ],
)
async def test_an_order_that_no_bidder_could_ask_for_is_refused_before_a_lead_meets_it(
    desk: Desk, ping: str, says: str
) -> None:
    with pytest.raises(BadInput) as caught:
        await desk.apply(CONTRACT.replace("timeout_ms = 500", ping))
    told = caught.value
    assert (told.code, told.detail) == ("config.order.malformed", f"order helio-ca, ping, {says}")
    key = says.partition(":")[0]
    assert [entry.pointer for entry in told.errors] == [f"part0.toml#/order/0/ping/{key}"]
    assert await desk.standing() == {}


WHOLE = "must be a whole address such as https://buyer.example/leads"
HTTP = 'courier = "http", url = "http://127.0.0.1:9001/leads", format = "json", secret = { env = "HELIO_HOOK" }'


@pytest.mark.parametrize(
    ("delivery", "says"),
    [
        ('courier = "htpp", url = "https://a.io"', {"courier": "no courier 'htpp' is installed; did you mean 'http'?"}),
        ('courier = "http"', {"url": "is missing: the address that takes the leads"}),
        ('courier = "http", url = "ftp://a.example/x"', {"url": WHOLE}),
        ('courier = "http", url = "https://a.example:99999/"', {"url": WHOLE}),
        ('courier = "http", url = "https://a example/"', {"url": WHOLE}),
        ('courier = "http", url = "https://a.io", formt = "json"', {"formt": "did you mean 'format'?"}),
        (
            'courier = "email", constants = { k = { env = "K" } }',
            {"to": "is missing: the address, or a list of addresses, to write to", "constants": "holds no secrets"},
        ),
        ('dialect = "boberdo", url = "https://a.io"', {"dialect": "no dialect 'boberdo'; did you mean 'boberdoo'?"}),
        (
            'dialect = "boberdoo", url = "https://a.example", keys = { Kay = "k", TYPE = "19" }',
            {
                "keys/Kay": "is not a key of boberdoo; did you mean 'Key'?",
                "keys/Key": "is missing: the key, as { env = \"NAME\" }",
                "keys/SRC": "is missing: the source's name",
            },
        ),
    ],
)  # fmt: skip
async def test_a_delivery_that_could_not_be_made_is_refused_field_by_field(
    desk: Desk, delivery: str, says: dict[str, str]
) -> None:
    with pytest.raises(BadInput) as caught:
        await desk.apply(CONTRACT.replace(HTTP, delivery))
    assert caught.value.code == "config.delivery.malformed"
    told = {entry.pointer: entry.detail for entry in caught.value.errors}
    place = "part0.toml#/buyer/0/delivery/"
    assert sorted(told) == sorted(place + key for key in says)
    for key, text in says.items():
        assert told[place + key].startswith(f"buyer helio, delivery, {key.replace('/', '.')}: ")
        if not key.startswith("keys/S") and not key.startswith("keys/Key"):
            assert told[place + key].endswith(text)
    assert {entry.code for entry in caught.value.errors} == {"config.delivery.malformed"}
    assert await desk.standing() == {}


async def test_a_buyer_whose_courier_is_no_longer_installed_can_still_be_retired(desk: Desk) -> None:
    await desk.apply(CONTRACT)
    desk.couriers.clear()
    with pytest.raises(BadInput, match="no courier 'http' is installed"):
        await desk.apply(CONTRACT)
    await desk.apply('[[buyer]]\nid = "helio"\nretired = true\n')
    assert (await desk.standing())["buyer", "helio"]["retired"] is True


async def test_an_order_whose_bidder_is_no_longer_installed_can_still_be_retired(desk: Desk) -> None:
    await desk.apply(CONTRACT)
    desk.bidders.clear()
    await desk.apply('[[order]]\nid = "helio-ca"\nretired = true\n')
    assert (await desk.standing())["order", "helio-ca"]["retired"] is True


async def test_a_missing_secret_is_named(desk: Desk) -> None:
    del desk.environ["HELIO_KEY"]
    with pytest.raises(BadInput) as caught:
        await desk.apply(CONTRACT)
    assert (caught.value.code, caught.value.detail) == (
        "config.secret.unset",
        "buyer helio, key: set the environment variable HELIO_KEY",
    )


async def test_two_parties_never_have_the_same_key(desk: Desk) -> None:
    await desk.apply(CONTRACT)
    for kind in ("source", "buyer"):
        text = f'[[{kind}]]\nid = "thief"\nname = "T"\nkey = "acme-key-1234"\n'
        with pytest.raises(BadInput, match=f"{kind} thief has the key of source acme-media"):
            await desk.apply(text + ('verticals = ["solar"]\n' if kind == "source" else ""))


async def test_two_people_who_apply_at_once_wait_for_each_other(desk: Desk) -> None:
    texts = [f'[[team]]\nid = "team{n}"\nname = "T"\n[[team]]\nid = "all"\nname = "{n}"\n' for n in range(6)]
    for n, text in enumerate(texts):
        (desk.folder / f"{n}").mkdir()
        texts[n] = text
    desks = [Desk(desk.db, desk.clock, desk.mint, desk.folder / f"{n}") for n in range(6)]
    done = await asyncio.gather(*(one.apply(text) for one, text in zip(desks, texts, strict=True)))
    assert sorted(one.revision for one in done) == [1, 2, 3, 4, 5, 6]
    assert sum(one.count(What.CREATED) for one in done) == 7
    assert sum(one.count(What.CHANGED) for one in done) == 5


def planned(text: str, standing: dict[tuple[str, str], Any] | None = None) -> Plan:
    documents = {key: msgspec.json.encode(raw).decode() for key, raw in (standing or {}).items()}
    return plan(read_text(text.encode(), "a.toml"), documents, VERTICALS, keyed_hash, ENVIRON)
