"""The outgoing client against an honest local server that misbehaves on demand."""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from leadmill.core.conversation import Blank, HttpAsk
from leadmill.core.faults import Permanent, Transient
from leadmill.runtime.addresses import Reach, refusal
from leadmill.runtime.breaker import Breaker
from leadmill.runtime.http import Http, HttpLimits
from leadmill.runtime.signing import sign_webhook

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOME = Reach(loopback=True)
KEY = base64.b64encode(b"a webhook secret of 24 b").decode()
ENVIRON = {"HOOK": f"whsec_{KEY}", "TOKEN": "t0ken", "AWKWARD": 'a"<&', "SPLIT": "a\nb"}


class Peer:
    """A server that does what the path says and remembers what it was sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.released = asyncio.Event()
        self.asked = asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append((request.path, {k.lower(): v for k, v in request.headers.items()}, body))
        self.asked.set()
        what = request.path.strip("/")
        if what.isdigit():
            return web.Response(status=int(what), headers={"Retry-After": "7"}, text="said")
        if what == "moved":
            return web.Response(status=302, headers={"Location": f"{self.url}/secret"})
        if what == "huge":
            return web.Response(body=b"x" * 300_000)
        if what == "silent":
            await self.released.wait()
        if what == "drip":
            reply = web.StreamResponse()
            await reply.prepare(request)
            while not self.released.is_set():
                await reply.write(b".")
                await asyncio.sleep(0.02)
            return reply
        if what == "reset":
            assert request.transport is not None
            request.transport.abort()
        if what == "once" and sum(path == "/once" for path, _, _ in self.seen) == 1:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="fine", headers={"X-Thing": "y"})


@asynccontextmanager
async def a_peer() -> AsyncIterator[Peer]:
    peer = Peer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", peer.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield peer
    finally:
        peer.released.set()
        await runner.cleanup()


def a_client(reach: Reach = HOME, **more: object) -> Http:
    return Http(reach, ENVIRON, lambda: NOON, **more)  # type: ignore[arg-type]


async def test_an_answer_comes_back_with_its_status_headers_and_body() -> None:
    async with a_peer() as peer, a_client() as http:
        reply = await http.perform(HttpAsk("POST", f"{peer.url}/fine", {"Content-Type": "text/plain"}, b"hello"))
    assert (reply.status, reply.body, reply.headers["x-thing"]) == (200, b"fine", "y")
    assert peer.seen[0][2] == b"hello"
    assert peer.seen[0][1]["user-agent"] == "Leadmill"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
async def test_a_refusal_by_status_is_a_reply(status: int) -> None:
    async with a_peer() as peer, a_client() as http:
        assert (await http.perform(HttpAsk("POST", f"{peer.url}/{status}"))).status == status


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "http.server.failed"), (503, "http.server.failed"), (429, "http.server.busy"), (408, "http.server.timeout")],
)
async def test_a_failing_or_busy_server_may_be_tried_later(status: int, code: str) -> None:
    async with a_peer() as peer, a_client() as http:
        with pytest.raises(Transient) as caught:
            await http.perform(HttpAsk("POST", f"{peer.url}/{status}"))
    assert (caught.value.code, caught.value.after) == (code, 7.0)
    assert len(peer.seen) == 1  # a POST that arrived is not repeated


async def test_a_redirect_is_never_followed() -> None:
    async with a_peer() as peer, a_client() as http:
        reply = await http.perform(HttpAsk("GET", f"{peer.url}/moved"))
    assert reply.status == 302
    assert [path for path, _, _ in peer.seen] == ["/moved"]


@pytest.mark.parametrize("path", ["silent", "drip"])
async def test_the_budget_covers_a_server_that_is_silent_and_one_that_drips(path: str) -> None:
    async with a_peer() as peer, a_client() as http:
        with pytest.raises(Transient) as caught:
            await http.perform(HttpAsk("POST", f"{peer.url}/{path}", budget_ms=150))
    assert caught.value.code == "http.time.spent"


async def test_an_oversized_answer_is_not_read_to_its_end() -> None:
    async with a_peer() as peer, a_client() as http:
        with pytest.raises(Permanent) as caught:
            await http.perform(HttpAsk("POST", f"{peer.url}/huge"))
    assert caught.value.code == "http.reply.too_large"


async def test_a_reset_connection_is_repeated_only_for_an_idempotent_ask() -> None:
    async with a_peer() as peer, a_client() as http:
        with pytest.raises(Transient) as caught:
            await http.perform(HttpAsk("POST", f"{peer.url}/reset"))
        assert caught.value.code == "http.reply.broken"
        assert len(peer.seen) == 1
        reply = await http.perform(HttpAsk("POST", f"{peer.url}/once", idempotent=True))
    assert reply.status == 200
    assert [path for path, _, _ in peer.seen] == ["/reset", "/once", "/once"]


async def test_a_refused_connection_opens_the_breaker_and_a_trial_closes_it() -> None:
    moment = [0.0]
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))  # held, so that nobody else listens there meanwhile
    gone = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    async with a_client(limits=HttpLimits(failures=2), monotonic=lambda: moment[0]) as http:
        for _ in range(2):
            with pytest.raises(Transient) as caught:
                await http.perform(HttpAsk("POST", gone))
            assert caught.value.code == "http.connection.failed"
        with pytest.raises(Transient) as caught:
            await http.perform(HttpAsk("POST", gone))
        assert (caught.value.code, caught.value.after) == ("http.breaker.open", 15.0)
        view = http.breakers()[0]
        assert (view.state, view.failures, view.refused, view.reason) == ("open", 2, 1, "http.connection.failed")
        moment[0] = 16.0
        assert http.breakers()[0].state == "half_open"
    deaf.close()


def test_a_breaker_lives_through_closed_open_half_open_and_back() -> None:
    breaker = Breaker("h:1", threshold=2, rest=10, rest_limit=15)
    for now in (0.0, 1.0):
        assert breaker.wait(now) is None
        breaker.fail("x", now)
    assert breaker.wait(2.0) == 9.0
    assert breaker.wait(11.0) is None  # the trial
    assert breaker.wait(11.0) == 1.0  # only one
    breaker.fail("y", 12.0)
    assert breaker.wait(13.0) == 14.0  # 15 from 12: twice 10, but no more than the limit
    assert breaker.wait(27.0) is None
    breaker.abandon()
    assert breaker.wait(27.0) is None
    breaker.succeed()
    view = breaker.view(28.0)
    assert (view.state, view.opened, view.failed, view.reason) == ("closed", 2, 3, "y")


@pytest.mark.parametrize(
    ("address", "reach", "plain", "allowed"),
    [
        ("93.184.216.34", Reach(), False, True),
        ("93.184.216.34", Reach(), True, False),
        ("93.184.216.34", Reach(plain=True), True, True),
        ("127.0.0.1", Reach(), False, False),
        ("127.0.0.1", Reach(loopback=True), True, True),
        ("::1", Reach(loopback=True), True, True),
        ("::ffff:127.0.0.1", Reach(), False, False),
        ("10.1.2.3", Reach(loopback=True), False, False),
        ("10.1.2.3", Reach(private=True), True, True),
        ("100.64.1.1", Reach(), False, False),
        ("100.100.100.200", Reach(private=True), False, False),
        ("169.254.169.254", Reach(loopback=True, private=True, plain=True), True, False),
        ("169.254.1.1", Reach(private=True), False, False),
        ("64:ff9b::a9fe:a9fe", Reach(private=True), False, False),
        ("2002:7f00:1::", Reach(), False, False),
        ("fe80::1", Reach(private=True), False, False),
        ("fd00:ec2::254", Reach(private=True), False, False),
        ("fd12::1", Reach(private=True), False, True),
        ("224.0.0.1", Reach(private=True), False, False),
        ("0.0.0.0", Reach(loopback=True, private=True), False, False),
        ("168.63.129.16", Reach(plain=True), False, False),
        ("240.0.0.1", Reach(private=True), False, False),
        ("2606:4700::1111", Reach(), False, True),
    ],
)
def test_addresses_inside_are_refused_unless_allowed(address: str, reach: Reach, plain: bool, allowed: bool) -> None:
    assert (refusal(ipaddress.ip_address(address), reach, plain=plain) is None) is allowed


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/", "http://[::1]:9/", "http://2130706433:9/", "http://127.1:9/", "http://0x7f000001:9/",
        "http://localhost:9/", "https://169.254.169.254/latest/meta-data/",
    ],
)  # fmt: skip
async def test_no_spelling_of_an_inner_address_gets_through(url: str) -> None:
    async with a_client(Reach()) as http:
        with pytest.raises(Permanent) as caught:
            await http.perform(HttpAsk("GET", url))
    assert caught.value.code in ("http.address.refused", "http.address.malformed")


@pytest.mark.parametrize(
    "url",
    ["ftp://h/x", "file:///etc/passwd", "http://u:p@h/", "/relative", "http://", "http://h/a b", "http://h:99999/"],
)
async def test_an_address_that_is_no_plain_web_address_is_refused(url: str) -> None:
    async with a_client() as http:
        with pytest.raises(Permanent) as caught:
            await http.perform(HttpAsk("GET", url))
    assert caught.value.code == "http.address.malformed"


async def test_a_name_with_one_inner_address_is_refused_and_the_judged_address_is_the_one_used() -> None:
    asked: list[str] = []
    answers: dict[str, Sequence[str]] = {"mixed.test": ("93.184.216.34", "127.0.0.1"), "rebind.test": ("127.0.0.1",)}

    async def lookup(host: str, port: int, family: int) -> Sequence[tuple[int, str, int]]:
        asked.append(host)
        return [(2, address, port) for address in answers[host]]

    async with a_peer() as peer:
        async with a_client(Reach(), lookup=lookup) as http:
            with pytest.raises(Permanent) as caught:
                await http.perform(HttpAsk("GET", "https://mixed.test/"))
            assert caught.value.code == "http.address.refused"
        port = peer.url.rpartition(":")[2]
        async with a_client(lookup=lookup) as http:
            reply = await http.perform(HttpAsk("GET", f"http://rebind.test:{port}/fine"))
    assert reply.status == 200
    assert asked == ["mixed.test", "rebind.test"]  # resolved once: what was judged is what was connected to
    assert peer.seen[0][1]["host"] == f"rebind.test:{port}"


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nEvil: 1"}, {"X": "a\0"}, {"X y": "a"}, {"Host": "other"}, {"Content-Length": "3"}, {"X\n": "a"}],
)
async def test_a_header_that_would_break_the_request_is_refused(headers: dict[str, str]) -> None:
    async with a_client() as http:
        with pytest.raises(Permanent) as caught:
            await http.perform(HttpAsk("GET", "http://127.0.0.1:9/", headers))
    assert caught.value.code == "http.header.refused"


async def test_a_signed_ask_carries_a_standard_webhooks_signature_of_this_attempt() -> None:
    ask = HttpAsk("POST", "", {}, b'{"a":1}', secret="HOOK", sign="standard-webhook", message_id="dlv_1")
    async with a_peer() as peer, a_client() as http:
        await http.perform(HttpAsk("POST", f"{peer.url}/x", {}, ask.body, ask.secret, ask.sign, message_id="dlv_1"))
    headers = peer.seen[0][1]
    stamp = str(int(NOON.timestamp()))
    wanted = hmac.new(base64.b64decode(KEY), f"dlv_1.{stamp}.".encode() + ask.body, hashlib.sha256).digest()
    assert headers["webhook-id"] == "dlv_1"
    assert headers["webhook-timestamp"] == stamp
    assert headers["webhook-signature"] == "v1," + base64.b64encode(wanted).decode()


def test_the_signature_agrees_with_the_published_example() -> None:
    # The example of the Standard Webhooks specification's own libraries.
    headers = sign_webhook(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_give_two_signatures() -> None:
    assert len(sign_webhook("old new", "m", 1, b"x")["webhook-signature"].split()) == 2


async def test_secrets_are_opened_by_name_and_filled_where_they_belong() -> None:
    blanks = (Blank("@@k@@", "AWKWARD", "json"),)
    async with a_peer() as peer, a_client() as http:
        await http.perform(
            HttpAsk("POST", f"{peer.url}/a", {}, b'{"key":"@@k@@"}', blanks=blanks, secret="TOKEN", sign="bearer")
        )
        await http.perform(HttpAsk("POST", f"{peer.url}/b", secret="TOKEN", sign="basic", sign_name="me"))
        await http.perform(HttpAsk("POST", f"{peer.url}/c", secret="TOKEN", sign="header", sign_name="X-Key"))
    assert peer.seen[0][2] == b'{"key":"a\\"<&"}'
    assert peer.seen[0][1]["authorization"] == "Bearer t0ken"
    assert peer.seen[1][1]["authorization"] == "Basic " + base64.b64encode(b"me:t0ken").decode()
    assert peer.seen[2][1]["x-key"] == "t0ken"


@pytest.mark.parametrize(("name", "code"), [("NONE", "secret.reference.unset"), ("SPLIT", "http.header.refused")])
async def test_a_secret_that_is_missing_or_breaks_a_header_stops_the_ask(name: str, code: str) -> None:
    async with a_client() as http:
        with pytest.raises(Permanent) as caught:
            await http.perform(HttpAsk("GET", "http://127.0.0.1:9/", secret=name, sign="bearer"))
    assert caught.value.code == code


async def test_the_log_names_the_host_and_nothing_of_the_person() -> None:
    async with a_peer() as peer, a_client() as http:
        with capture_logs() as logs:
            await http.perform(
                HttpAsk(
                    "POST",
                    f"{peer.url}/404?phone=555&who=ana@example.com",
                    {"X": "ana"},
                    b"ana",
                    secret="TOKEN",
                    sign="bearer",
                )
            )
    assert logs[0]["host"] == peer.url.removeprefix("http://")
    assert not any(word in str(logs) for word in ("ana", "555", "t0ken"))


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with a_peer() as peer, a_client() as http:
        assert (await http.perform(HttpAsk("GET", f"{peer.url}/fine"))).status == 200


async def test_a_caller_who_gives_up_does_not_count_against_the_host() -> None:
    async with a_peer() as peer, a_client() as http:
        task = asyncio.create_task(http.perform(HttpAsk("POST", f"{peer.url}/silent")))
        await peer.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert http.breakers()[0].failures == 0
