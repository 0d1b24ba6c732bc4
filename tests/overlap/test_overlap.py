"""Who has a person already: hashes as the trade makes them, lists that grow and shrink, exclusions by name."""

import hashlib
import hmac

import pytest

from leadmill.core.faults import BadInput, Permanent
from leadmill.overlap import KnownAsk, KnownTo
from leadmill.overlap.rules import Exclusions, digest_of, names_in, plain_form, read_hashes
from leadmill.overlap.service import MOST, Lists
from leadmill.parties import Buyer, KnownPeople, Roster
from leadmill.runtime.db import Database
from tests.conftest import FixedClock

KEYED = KnownPeople(key_env="HELIO_MATCH")
OLD = KnownPeople(profile="md5", phone_form="national")
HELIO = Buyer(id="helio", name="Helio Solar LLC", brands=("Helio",), known=KEYED)
BRIGHT = Buyer(id="bright", name="Bright Roofs, Inc.", known=OLD)
SUNCO = Buyer(id="sunco", name="Sun Co")


def house_hash(purpose: str, text: str) -> bytes:
    return hmac.digest(b"of the house", f"{purpose} {text}".encode(), "sha256")


def lists(**environ: str) -> Lists:
    return Lists(house_hash, environ)


@pytest.mark.parametrize(
    ("form", "number", "plain"),
    [
        ("e164", "+14155550134", "+14155550134"),
        ("digits", "+14155550134", "14155550134"),
        ("national", "+14155550134", "4155550134"),
        ("national", "+442079460018", "442079460018"),
    ],
)
def test_a_number_is_hashed_as_the_list_writes_it(form: str, number: str, plain: str) -> None:
    assert plain_form(KnownPeople(phone_form=form), "phone", number) == plain  # type: ignore[arg-type]


def test_an_address_is_hashed_in_lower_case() -> None:
    assert plain_form(KEYED, "email", " Ana.Ruiz@Example.com ") == "ana.ruiz@example.com"


@pytest.mark.parametrize("profile", ["md5", "sha1", "sha256"])
def test_the_older_systems_hashes_are_understood_and_called_weak(profile: str) -> None:
    spec = KnownPeople(profile=profile, phone_form="national")  # type: ignore[arg-type]
    assert digest_of(spec, b"", "phone", "+14155550134") == hashlib.new(profile, b"4155550134").digest()
    assert spec.weak
    assert not KEYED.weak


def test_the_keyed_hash_is_the_one_of_rfc_2104() -> None:
    expected = hmac.new(b"secret", b"+14155550134", hashlib.sha256).digest()
    assert digest_of(KEYED, b"secret", "phone", "+14155550134") == expected


def test_hashes_of_another_profile_are_refused_one_by_one() -> None:
    good = hashlib.md5(b"4155550134").hexdigest()
    assert read_hashes(OLD, [good, good.upper()]) == [bytes.fromhex(good)] * 2
    with pytest.raises(BadInput) as fault:
        read_hashes(OLD, [good, "4155550134", hashlib.sha256(b"x").hexdigest()])
    assert [entry.pointer for entry in fault.value.errors] == ["/hashes/1", "/hashes/2"]
    assert "32 hexadecimal digits" in fault.value.errors[0].detail


def test_a_publisher_names_buyers_by_id_name_brand_or_hash() -> None:
    found = Exclusions(Roster(buyers={buyer.id: buyer for buyer in (HELIO, BRIGHT, SUNCO)}))
    digest = hashlib.sha256(b"sun co").hexdigest()
    assert found.find(["HELIO  solar llc", digest, "Nobody"]) == {"helio": "by name", "sunco": "by hash"}
    assert found.find(["bright"]) == {"bright": "by name"}
    assert found.find([]) == {}


@pytest.mark.parametrize(
    ("given", "names"),
    [("Helio; Sun Co", ["Helio", "Sun Co"]), (["Helio"], ["Helio"]), (None, []), ("", [])],
)
def test_exclusions_come_as_a_list_or_as_one_text(given: object, names: list[str]) -> None:
    assert names_in({"exclude_buyers": given}) == names


async def test_a_list_grows_shrinks_and_begins_anew(db: Database, clock: FixedClock) -> None:
    book = lists(HELIO_MATCH="secret")
    ana, joe = (digest_of(KEYED, b"secret", "phone", n).hex() for n in ("+14155550134", "+14155550135"))
    ask = KnownAsk({"helio": KEYED}, "+14155550134", "ana@example.com")

    async def known() -> KnownTo:
        async with db.begin() as tx:
            return (await book.hear(tx, [ask]))(ask)

    assert await known() == KnownTo()
    async with db.begin() as tx:
        assert await book.change(tx, HELIO, "phone", [ana, joe, ana], "add", clock()) == 2
        assert await book.change(tx, HELIO, "phone", [ana], "add", clock()) == 0
    assert await known() == KnownTo({"helio": ("phone",)})
    async with db.begin() as tx:
        address = digest_of(KEYED, b"secret", "email", "ana@example.com").hex()
        assert await book.change(tx, HELIO, "email", [address], "replace", clock()) == 1
    assert await known() == KnownTo({"helio": ("phone", "email")})
    async with db.begin() as tx:
        assert await book.change(tx, HELIO, "phone", [joe], "replace", clock()) == 1
        assert await book.change(tx, HELIO, "email", [address], "remove", clock()) == 1
    assert await known() == KnownTo()


async def test_one_buyers_list_says_nothing_of_anothers(db: Database, clock: FixedClock) -> None:
    book = lists()
    other = Buyer(id="volt", name="Volt", known=OLD)
    async with db.begin() as tx:
        await book.change(tx, BRIGHT, "phone", [hashlib.md5(b"4155550134").hexdigest()], "add", clock())
    asks = [KnownAsk({"bright": OLD, "volt": OLD}, "+14155550134"), KnownAsk({"volt": OLD}, None, "a@example.com")]
    async with db.begin() as tx:
        answer = await book.hear(tx, asks)
        assert await book.change(tx, other, "phone", [hashlib.md5(b"4155550134").hexdigest()], "remove", clock()) == 0
    assert [answer(ask) for ask in asks] == [KnownTo({"bright": ("phone",)}), KnownTo()]
    assert list(answer(asks[0]).tell()) == ["bright already has this person, by phone."]


async def test_a_list_that_nobody_agreed_on_is_not_taken(db: Database, clock: FixedClock) -> None:
    async with db.begin() as tx:
        with pytest.raises(BadInput, match="known"):
            await lists().change(tx, SUNCO, "phone", [], "add", clock())
        with pytest.raises(BadInput, match="10,000"):
            await lists().change(tx, BRIGHT, "phone", ["00" * 16] * (MOST + 1), "add", clock())


async def test_nobody_is_compared_without_the_buyers_key(db: Database) -> None:
    ask = KnownAsk({"helio": KEYED}, "+14155550134")
    async with db.begin() as tx:
        with pytest.raises(Permanent, match="HELIO_MATCH"):
            await lists().hear(tx, [ask])


async def test_what_is_kept_is_no_hash_that_the_buyer_sent(db: Database, clock: FixedClock) -> None:
    sent = hashlib.md5(b"4155550134").hexdigest()
    async with db.begin() as tx:
        await lists().change(tx, BRIGHT, "phone", [sent], "add", clock())
    async with db.begin() as tx:
        kept = [row["mark"] for row in await tx.conn.fetch("SELECT mark FROM known_person")]
    assert kept
    assert bytes.fromhex(sent) not in kept
