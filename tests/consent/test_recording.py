"""The recording of a visit: read strictly, put together by time, sealed, bounded, let go."""

import json
from datetime import timedelta
from typing import Any

import pytest

from leadmill.consent import Visit, read_chunk, read_visit, visit_token
from leadmill.consent.recording import MOST_BYTES, packed, put_together, unmasked
from leadmill.consent.service import forget_visits, give_replay, keep_chunk
from leadmill.consent.store import lock_visit, read_replays
from leadmill.core.faults import BadInput, TooLarge
from leadmill.runtime.db import Database
from leadmill.runtime.vault import Vault
from tests.capture.leads import NOW

VAULT = Vault(bytes(32))
VISIT = Visit("a1" * 16, "quote", NOW)


def event(at: float, **data: Any) -> dict[str, Any]:
    return {"type": 3, "timestamp": at, "data": data}


def piece(*events: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"visit": "token", "seq": 0, "events": events} | more).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"visit": "t", "seq": -1}',
        b'{"visit": "t", "seq": 600}',
        b'{"visit": "t", "events": {}}',
        b'{"visit": "t", "events": [1]}',
        b'{"visit": "t", "events": [{"type": 3}]}',
        b'{"visit": "t", "events": [{"type": "3", "timestamp": 1}]}',
        b'{"visit": "t", "more": 1}',
        json.dumps({"visit": "t" * 501}).encode(),
    ],
)
def test_what_is_no_piece_of_a_recording_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        read_chunk(body)
    assert refused.value.code == "consent.replay.malformed"


def test_pieces_are_put_together_by_time_and_hold_no_tag() -> None:
    first = [event(2000, text="</script>"), event(5000)]
    put = put_together(packed(json.dumps(each).encode()) for each in (first, [event(3000.5)]))
    assert [each["timestamp"] for each in json.loads(put.events)] == [2000, 3000.5, 5000]
    assert (put.count, put.seconds) == (3, 3.0) and b"<" not in put.events
    assert json.loads(put.events)[0]["data"]["text"] == "</script>"


@pytest.mark.parametrize("chunk", [b"", b"not packed", packed(b"{}"), packed(b"[1]"), packed(b"[]" * (1 << 20))])
def test_a_broken_piece_is_noticed(chunk: bytes) -> None:
    with pytest.raises(ValueError):
        put_together([chunk])


def test_a_recording_that_holds_what_was_typed_is_told() -> None:
    put = put_together([packed(json.dumps([event(1, text="Ana.Lopez@example.com")]).encode())])
    assert unmasked(put, {"email": "ana.lopez@example.com"}) and not unmasked(put, {"email": "other@example.com"})


def test_a_visits_token_is_ours_its_forms_and_ends() -> None:
    token = visit_token(VAULT.keyed_hash, VISIT)
    assert read_visit(VAULT.keyed_hash, token, "quote", NOW + timedelta(hours=47)) == VISIT
    refused = [
        (token, "other", NOW),
        (token, "quote", NOW + timedelta(hours=49)),
        (token[:-1] + "0" if token[-1] != "0" else token[:-1] + "1", "quote", NOW),
        (token.replace("a1", "b2", 1), "quote", NOW),
        ("", "quote", NOW),
        ("~~~\udcff", "quote", NOW),
    ]
    assert all(read_visit(VAULT.keyed_hash, *each) is None for each in refused)


async def test_a_visits_pieces_are_sealed_counted_and_given_to_their_lead(db: Database) -> None:
    pieces = [
        read_chunk(piece(event(1000 + number, note=f"step {number}"), seq=number, visit="t")) for number in range(3)
    ]
    async with db.begin() as tx:
        for each in (*pieces, pieces[0]):  # a piece sent twice is one
            await keep_chunk(tx, VAULT, VISIT, each, NOW)
        rows = await tx.conn.fetch("SELECT sealed FROM consent_chunk")
        assert len(rows) == 3 and not any(b"step" in row["sealed"] for row in rows)
    dek, _ = VAULT.new_key()

    def seal(plain: bytes) -> bytes:
        return VAULT.seal(dek, plain, "replay lead_1")

    async with db.begin() as tx:
        told = await give_replay(tx, VAULT, VISIT.session, "lead_1", "person_1", seal, {}, NOW)
        assert told is not None and (told.events, told.why) == (3, "")
        assert await give_replay(tx, VAULT, VISIT.session, "lead_1", "person_1", seal, {}, NOW) is None
    async with db.begin() as tx:
        stored = (await read_replays(tx, ["lead_1"]))["lead_1"]
        assert stored.digest.hex() == told.sha256 and b"step" not in stored.sealed
        assert not await tx.conn.fetchval("SELECT count(*) FROM consent_chunk")


async def test_a_recording_is_bounded_and_goes_when_the_person_or_its_time_says_so(db: Database) -> None:
    large = read_chunk(piece(event(1, text="x" * 900_000), visit="t"))
    async with db.begin() as tx:
        for _ in range(MOST_BYTES // 900_000):
            await keep_chunk(tx, VAULT, VISIT, large, NOW)
        with pytest.raises(TooLarge):
            await keep_chunk(tx, VAULT, VISIT, large, NOW)
        with pytest.raises(TooLarge):
            await keep_chunk(tx, VAULT, VISIT, read_chunk(piece(event(2), visit="t")), NOW + timedelta(hours=3))
        await keep_chunk(tx, VAULT, VISIT, read_chunk(b'{"visit": "t", "discard": true}'), NOW)
        assert await lock_visit(tx, VISIT.session) is None
    async with db.begin() as tx:
        await keep_chunk(tx, VAULT, VISIT, read_chunk(piece(event(1), visit="t")), NOW)
        await forget_visits(tx, NOW + timedelta(hours=1))
        assert await lock_visit(tx, VISIT.session) is not None
        await forget_visits(tx, NOW + timedelta(hours=2))
        assert await lock_visit(tx, VISIT.session) is None
        assert not await tx.conn.fetchval("SELECT count(*) FROM consent_chunk")


async def test_a_recording_that_was_not_masked_or_has_no_person_any_more_is_let_go(db: Database) -> None:
    async with db.begin() as tx:
        await keep_chunk(tx, VAULT, VISIT, read_chunk(piece(event(1, text="ana@example.com"), visit="t")), NOW)
        values = {"email": "ana@example.com"}
        told = await give_replay(tx, VAULT, VISIT.session, "lead_1", "person_1", lambda plain: plain, values, NOW)
        assert told is not None and not told.sha256 and "typed" in told.why
        await keep_chunk(tx, VAULT, VISIT, read_chunk(piece(event(1), visit="t")), NOW)
        assert await give_replay(tx, VAULT, VISIT.session, "lead_1", "person_1", None, {}, NOW) is None
    async with db.begin() as tx:
        assert await read_replays(tx, ["lead_1"]) == {}
