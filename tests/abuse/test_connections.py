"""Connections that break the rules of HTTP: lengths that lie, bodies that stop half-way, bytes that are no request.

Whatever comes, the server answers in words or hangs up, keeps nothing of it and goes on serving others.
"""

import asyncio
import json
import socket
import threading
import time
from typing import Any

import pytest

from leadmill.core.faults import BadInput
from leadmill.interfaces.api.intake import read_body
from leadmill.interfaces.guard import patient
from tests.abuse.caller import Caller, chunked, problem, read_reply
from tests.abuse.running import Mill, lead


def body_of(size: int = 0) -> bytes:
    body = json.dumps(lead()).encode()
    return body[:-1] + b" " * max(0, size - len(body)) + b"}"


@pytest.fixture
def nothing_kept(mill: Mill) -> Any:
    """No lead came of what the test did."""
    before = mill.newest()
    yield
    assert mill.newest() == before
    assert mill.caller(None).get("/healthz").status == 200


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_body_that_stops_half_way_makes_no_lead(mill: Mill, nothing_kept: None, share: float) -> None:
    caller = mill.caller()
    body = body_of(200_000)
    with socket.create_connection((caller.host, caller.port), timeout=30) as line:
        line.sendall(
            caller.head("POST", "/v1/leads", {"content-length": str(len(body))}) + body[: int(len(body) * share)]
        )
    with socket.create_connection((caller.host, caller.port), timeout=30) as line:
        line.sendall(
            caller.head("POST", "/v1/leads", {"transfer-encoding": "chunked"}) + chunked(body)[: int(len(body) * share)]
        )


def test_a_length_that_is_too_short_cuts_the_lead_and_the_rest_is_no_request(mill: Mill, nothing_kept: None) -> None:
    caller = mill.caller()
    body = body_of()
    reply = caller.raw(
        caller.head("POST", "/v1/leads", {"content-length": str(len(body) - 10), "connection": "keep-alive"}) + body
    )
    problem(reply, 400)


def test_a_length_that_is_too_long_is_waited_for_and_others_are_served_meanwhile(
    mill: Mill, nothing_kept: None
) -> None:
    caller = mill.caller()
    body = body_of()
    with socket.create_connection((caller.host, caller.port), timeout=30) as line:
        line.sendall(caller.head("POST", "/v1/leads", {"content-length": str(len(body) + 10)}) + body)
        for _ in range(5):
            assert mill.caller(None).get("/readyz").status == 200


LENGTHS = ["-1", "abc", "1e3", "0x10", "5, 5", "+5", "99999999999999999999999", "5\r\ncontent-length: 6"]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_length_that_is_no_number_is_refused(mill: Mill, nothing_kept: None, length: str) -> None:
    caller = mill.caller()
    problem(caller.raw(caller.head("POST", "/v1/leads", {"content-length": length}) + body_of()), 400)


def test_a_length_beside_chunks_smuggles_nothing(mill: Mill, nothing_kept: None) -> None:
    caller = mill.caller()
    inner = caller.head("POST", "/v1/leads", {"content-length": str(len(body_of()))}) + body_of()
    for headers in (
        {"content-length": "5", "transfer-encoding": "chunked"},
        {"transfer-encoding": "chunked", "content-length": str(len(inner) + 5)},
        {"transfer-encoding": "identity, chunked", "content-length": "5"},
    ):
        reply = caller.perhaps(caller.head("POST", "/v1/leads", headers) + b"0\r\n\r\n" + inner)
        assert reply is None or problem(reply, 400)


CHUNKS = [b"zz\r\nabc\r\n0\r\n\r\n", b"-5\r\nabcde\r\n0\r\n\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n"]


@pytest.mark.parametrize("chunks", CHUNKS)
def test_broken_chunks_are_refused(mill: Mill, nothing_kept: None, chunks: bytes) -> None:
    caller = mill.caller()
    reply = caller.perhaps(caller.head("POST", "/v1/leads", {"transfer-encoding": "chunked"}) + chunks)
    assert reply is None or problem(reply, 400)


NO_REQUESTS = {
    "a greeting": b"hello there\r\n\r\n",
    "a made-up method": b"LEAD /v1/leads HTTP/1.1\r\nhost: x\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 60,
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "random bytes": bytes(range(256)),
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a header without a colon": b"GET /healthz HTTP/1.1\r\nhost x\r\n\r\n",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nhost: x\0y\r\n\r\n",
    "a broken header name": b"GET /healthz HTTP/1.1\r\nho st: x\r\n\r\n",
    "a bare line feed in a header": b"GET /healthz HTTP/1.1\r\nhost: x\nx-evil: 1\r\n: \r\n\r\n",
    "a space in the address": b"GET /health z HTTP/1.1\r\nhost: x\r\n\r\n",
    "a version of the future": b"GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", NO_REQUESTS)
def test_what_is_no_request_gets_a_problem_or_nothing(mill: Mill, nothing_kept: None, name: str) -> None:
    reply = mill.caller().perhaps(NO_REQUESTS[name])
    assert reply is None or problem(reply, 400, "api.request.malformed")


def test_huge_headers_break_nothing(mill: Mill, nothing_kept: None) -> None:
    caller = mill.caller()
    for headers in (
        {"x-long": "a" * 200_000},
        {f"x-{number}": "a" for number in range(3000)},
        {"cookie": "a=b; " * 20_000},
    ):
        reply = caller.perhaps(caller.head("GET", "/healthz", headers))
        assert reply is None or reply.status in (200, 400, 431)
    reply = caller.perhaps(caller.head("GET", "/leads?" + "a" * 200_000))
    assert reply is None or reply.status < 500


def test_a_request_id_that_would_forge_a_header_is_not_repeated(mill: Mill) -> None:
    caller = mill.caller()
    for given in ("ok-1.2:3_4", "x" * 200, "a b", "<script>", "a\tb", b"\xff\xfe", "a\u00e9"):
        for path in ("/v1/leads", "/v1/nothing"):
            found = problem(
                caller.send("POST", path, b"", {"x-request-id": given}), 400 if path == "/v1/leads" else 404
            )
            assert (found["request_id"] == given) is (given == "ok-1.2:3_4")


def test_a_body_that_comes_piece_by_piece_is_a_lead_like_any_other(mill: Mill) -> None:
    caller = mill.caller()
    body = body_of(2000)
    head = caller.head("POST", "/v1/leads", {"content-length": str(len(body))})
    pieces = [head[:40], head[40:], *(body[at : at + 250] for at in range(0, len(body), 250))]
    done = threading.Event()
    found: dict[str, Any] = {}

    def send() -> None:
        found["reply"] = caller.raw(*pieces, pause=0.05)
        done.set()

    threading.Thread(target=send).start()
    served = 0
    while not done.is_set():
        assert mill.caller(None).get("/healthz").status == 200
        served += 1
    assert found["reply"].json["status"] == "sold"
    assert served


async def test_a_body_that_stops_coming_is_given_up() -> None:
    async def stalled() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(BadInput) as refused:
        await read_body({}, patient(stalled, 0.01))
    assert refused.value.code == "http.body.slow"


async def test_patience_is_for_bodies_and_not_for_the_end_of_a_connection() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b", "more_body": False},
    ]
    closed = asyncio.Event()

    async def receive() -> Any:
        if parts:
            return parts.pop(0)
        await closed.wait()
        return {"type": "http.disconnect"}

    hear: Any = patient(receive, 0.01)
    assert await read_body({}, hear) == b"ab"
    late = asyncio.create_task(hear())
    await asyncio.sleep(0.05)
    assert not late.done()
    closed.set()
    assert (await late)["type"] == "http.disconnect"


def test_a_hundred_idle_connections_keep_nobody_out(mill: Mill) -> None:
    lines = [socket.create_connection(("127.0.0.1", mill.port), timeout=30) for _ in range(100)]
    try:
        for line in lines[::2]:
            line.sendall(b"POST /v1/leads HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n")
        assert mill.caller().post("/v1/leads", lead()).json["status"] == "sold"
    finally:
        for line in lines:
            line.close()


def test_requests_sent_before_the_answer_to_the_first_are_answered_in_order(mill: Mill) -> None:
    caller = mill.caller()
    keep = {"connection": "keep-alive"}
    bodies = [body_of(), b"{", body_of()]
    with socket.create_connection((caller.host, caller.port), timeout=30) as line:
        line.sendall(
            b"".join(
                caller.head("POST", "/v1/leads", keep | {"content-length": str(len(body))}) + body for body in bodies
            )
        )
        answers = b""
        end = time.monotonic() + 60
        while answers.count(b"HTTP/1.1") < 3 or not answers.endswith(b"}"):
            assert time.monotonic() < end
            answers += line.recv(65_536)
    assert [each[:3] for each in answers.split(b"HTTP/1.1 ")[1:]] == [b"201", b"400", b"201"]


def test_waiting_for_leave_to_send_is_granted(mill: Mill) -> None:
    caller = mill.caller()
    body = body_of()
    with socket.create_connection((caller.host, caller.port), timeout=30) as line:
        line.sendall(caller.head("POST", "/v1/leads", {"content-length": str(len(body)), "expect": "100-continue"}))
        assert line.recv(100).startswith(b"HTTP/1.1 100")
        line.sendall(body)
        reply = read_reply(line)
    assert reply is not None
    assert reply.json["status"] == "sold"


def test_nobody_gets_a_web_socket(mill: Mill, nothing_kept: None) -> None:
    headers = {
        "upgrade": "websocket",
        "connection": "upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for path in ("/v1/leads", "/leads/feed", "/"):
        caller = Caller("127.0.0.1", mill.port)
        reply = caller.perhaps(caller.head("GET", path, headers))
        assert reply is None or reply.status in (303, 400, 401, 403, 404, 426)
