"""Ways in through the console: second factors, passkeys, another house, sessions, and what is asked once more."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from leadmill.access import Policy, Provider, read_roles
from leadmill.access.service import Elsewhere
from leadmill.interfaces.entrance import Entrance
from leadmill.interfaces.server import wiring
from leadmill.interfaces.web import build_app
from leadmill.parties import Role
from leadmill.parties.store import list_operators
from leadmill.runtime.addresses import Reach
from leadmill.runtime.clock import system_clock
from leadmill.runtime.http import Http
from tests.access import provider as house_elsewhere
from tests.access.codes import code_of
from tests.interfaces.client import Client
from tests.interfaces.stage import PASSWORD, PEOPLE, Stage


def with_entrance(stage: Stage, **changed: Any) -> Stage:
    """The stage with another entrance."""
    found = wiring(stage.house)
    entrance: Entrance = msgspec.structs.replace(found.entrance, **changed)
    app = build_app(msgspec.structs.replace(found, entrance=entrance))
    return Stage(stage.house, app, stage.operator_key, stage.analyst_key)


async def secret(client: Client, path: str) -> str:
    """The session's secret as it stands on a page."""
    return str((await client.get(path)).text.partition('name="_csrf" value="')[2].partition('"')[0])


async def give_password(client: Client, role: Role, there: str = "") -> Any:
    await client.get("/sign-in")
    fields = {"_csrf": client.cookies["leadmill_before"], "email": PEOPLE[role][0], "password": PASSWORD}
    return await client.post("/sign-in", {**fields, "next": there} if there else fields)


async def set_up(stage: Stage, client: Client) -> tuple[str, str, Any]:
    """A code app, confirmed: its secret, the code that confirmed it, and the answer."""
    csrf = await secret(client, "/account/code-app")
    await client.post("/account/code-app", {"_csrf": csrf})
    page = (await client.get("/account/code-app")).text
    given = page.partition("Secret</span><br><code>")[2].partition("</code>")[0]
    code = code_of(given, stage.house.clock())
    return given, code, await client.post("/account/code-app/confirm", {"_csrf": csrf, "code": code})


async def test_a_second_factor_is_set_up_asked_for_and_helped_by_recovery_codes(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    _, code, done = await set_up(stage, client)
    codes = done.text.partition("<pre")[2].partition(">")[2].partition("</pre>")[0].split()
    assert done.status == 200 and len(codes) == 10
    assert "Set up since" in (await client.get("/account")).text

    again = stage.client()
    reply = await give_password(again, Role.OPERATOR, "/orders")
    assert reply.headers["location"] == "/sign-in/factor?next=/orders"
    for path in ("/leads", "/account", "/v1/leads"):  # halfway opens nothing
        assert (await again.get(path)).status in (303, 401), path
    csrf = await secret(again, "/sign-in/factor?next=/orders")
    before = again.cookies["leadmill_session"]
    assert (await again.post("/sign-in/factor", {"_csrf": csrf, "code": code})).status == 403  # used before
    assert (await again.post("/sign-in/factor", {"_csrf": "x", "code": codes[0]})).status == 403
    reply = await again.post("/sign-in/factor", {"_csrf": csrf, "code": codes[0], "next": "/orders"})
    assert (reply.status, reply.headers["location"]) == (303, "/orders")
    assert again.cookies["leadmill_session"] != before
    assert (await again.get("/orders")).status == 200


async def test_a_role_that_must_have_a_second_factor_gets_no_further_without(stage: Stage) -> None:
    strict = with_entrance(stage, policy=Policy(frozenset({Role.COMPLIANCE})))
    client = strict.client()
    reply = await give_password(client, Role.COMPLIANCE)
    assert reply.headers["location"].startswith("/account/code-app?")
    assert (await client.get("/leads")).status == 303
    assert "Your role must show more" in (await client.get("/account/code-app")).text
    _, _, done = await set_up(stage, client)
    assert done.status == 200 and "Recovery codes" in done.text
    assert (await client.get("/leads")).status == 200
    csrf = await secret(client, "/account")
    kept = await client.post("/account/code-app/remove", {"_csrf": csrf})
    assert kept.status == 422 and "Your role must have a second factor" in kept.text
    assert (await strict.signed_in(Role.ANALYST)).cookies["leadmill_session"]


async def test_what_is_dangerous_is_asked_once_more(stage: Stage) -> None:
    client = await stage.signed_in(Role.ADMIN)
    csrf = await secret(client, "/account")
    async with stage.house.db.begin() as tx:
        await tx.conn.execute("UPDATE session SET proved_at = proved_at - interval '11 minutes'")
    new = {"_csrf": csrf, "name": "Bo", "email": "bo@example.com", "role": "analyst", "password": PASSWORD}
    for path, fields in (
        ("/users", new),
        ("/users/op_1", {"_csrf": csrf, "factors": "reset"}),
        ("/api-keys", {"_csrf": csrf, "owner": "x"}),
        ("/api-keys/key_1/rotate", {"_csrf": csrf}),
        ("/api-keys/key_1/revoke", {"_csrf": csrf}),
        ("/access/sign", {"_csrf": csrf}),
        ("/account/codes", {"_csrf": csrf}),
        ("/account/code-app", {"_csrf": csrf}),
        ("/account/code-app/remove", {"_csrf": csrf}),
        ("/account/passkeys/options", {"_csrf": csrf}),
    ):
        reply = await client.post(path, fields, referer="http://leadmill.test/users?x=1")
        assert (reply.status, reply.headers.get("location")) == (303, "/prove?next=/users%3Fx%3D1"), path
    assert "Is it you?" in (await client.get("/prove?next=/users")).text
    assert (await client.post("/prove", {"_csrf": csrf, "password": "no"})).status == 403
    reply = await client.post("/prove", {"_csrf": csrf, "password": PASSWORD, "next": "/users"})
    assert (reply.status, reply.headers["location"]) == (303, "/users")
    assert (await client.post("/users", new)).status == 303


async def test_changing_the_password_signs_every_other_browser_out(stage: Stage) -> None:
    here, there = await stage.signed_in(Role.ANALYST), await stage.signed_in(Role.ANALYST)
    csrf = await secret(here, "/account")
    wrong = await here.post("/account/password", {"_csrf": csrf, "old": "no", "new": "another long walk home"})
    assert wrong.status == 422 and "The present password is not right" in wrong.text
    weak = await here.post("/account/password", {"_csrf": csrf, "old": PASSWORD, "new": "short"})
    assert weak.status == 422
    token = here.cookies["leadmill_session"]
    done = await here.post("/account/password", {"_csrf": csrf, "old": PASSWORD, "new": "another long walk home"})
    assert done.status == 303 and here.cookies["leadmill_session"] != token
    assert (await here.get("/leads")).status == 200
    assert (await there.get("/leads")).status == 303
    stolen = stage.client()
    stolen.cookies["leadmill_session"] = token
    assert (await stolen.get("/leads")).status == 303


async def test_one_sees_ones_browsers_and_signs_them_out(stage: Stage) -> None:
    here, there, other = [await stage.signed_in(Role.ANALYST) for _ in range(3)]
    page = (await here.get("/account")).text
    assert page.count("/account/sessions/ses_") == 2 and "this one" in page
    csrf = await secret(here, "/account")
    ident = page.partition("/account/sessions/ses_")[2].partition("/")[0]
    await here.post(f"/account/sessions/ses_{ident}/end", {"_csrf": csrf})
    assert sorted([(await each.get("/leads")).status for each in (there, other)]) == [200, 303]
    boss = await stage.signed_in(Role.ADMIN)
    await here.post("/account/sessions/others/end", {"_csrf": csrf})
    assert [(await each.get("/leads")).status for each in (here, there, other, boss)] == [200, 303, 303, 200]


# Another house


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of an honest house in a process of its own."""
    path = Path(house_elsewhere.__file__)
    running = subprocess.Popen([sys.executable, str(path)], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    port = running.stdout.readline().strip()
    yield f"http://127.0.0.1:{port}"
    running.terminate()
    running.wait(10)


@pytest.fixture
async def elsewhere(stage: Stage, provider: str) -> AsyncIterator[Elsewhere]:
    """That house, asked through the guarded client."""
    said = Provider(
        issuer=provider,
        client_id=house_elsewhere.CLIENT,
        secret="ID_SECRET",
        label="Example",
        domains=("example.com",),
        roles=read_roles("sales=operator"),
    )
    clock = system_clock  # that of a process of its own
    async with Http(Reach(True, False, False), {"ID_SECRET": house_elsewhere.SECRET}, clock) as http:
        yield Elsewhere(said, http.perform, clock)


async def fetch(url: str) -> str:
    """Where the other house sends the browser."""
    async with aiohttp.ClientSession() as browser, browser.get(url, allow_redirects=False) as reply:
        return reply.headers.get("location", "")


async def come_back(client: Client, provider: str, lie: str = "") -> Any:
    """Sign in at the other house, which lies about something, and come back."""
    await fetch(f"{provider}/lie?about={lie.replace(' ', '%20')}")
    await client.get("/sign-in?next=/orders")
    sent = await client.get("/sign-in/elsewhere?next=/orders")
    assert sent.status == 303, sent.text
    back = await fetch(sent.headers["location"])
    return await client.get(back.removeprefix("http://leadmill.test"))


async def test_another_house_signs_people_in(stage: Stage, elsewhere: Elsewhere, provider: str) -> None:
    open_to_them = with_entrance(stage, elsewhere=elsewhere)
    client = open_to_them.client()
    assert "Sign in with Example" in (await client.get("/sign-in")).text
    reply = await come_back(client, provider)
    assert (reply.status, reply.headers["location"]) == (303, "/orders")
    assert (await client.get("/orders")).status == 200
    assert (await client.get("/users")).status == 403
    async with stage.house.db.begin() as tx:
        lena = next(each for each in await list_operators(tx) if each.email == "lena@example.com")
    assert (lena.role, lena.name) == (Role.OPERATOR, "Lena Fischer")
    assert (await come_back(open_to_them.client(), provider, "new key")).status == 303  # it changed its keys meanwhile
    strict = with_entrance(stage, elsewhere=elsewhere, policy=Policy(frozenset({Role.OPERATOR})))
    assert (await come_back(strict.client(), provider)).headers["location"].startswith("/account/code-app")
    assert (await come_back(strict.client(), provider, "mfa")).headers["location"] == "/orders"


LIES = (
    "nonce", "no nonce", "expired", "audience", "audiences", "token issuer", "none", "hmac", "foreign key", "at_hash",
    "unverified", "domain", "groups",
)  # fmt: skip


async def test_a_house_that_lies_signs_nobody_in(stage: Stage, elsewhere: Elsewhere, provider: str) -> None:
    open_to_them = with_entrance(stage, elsewhere=elsewhere)
    for lie in LIES:
        client = open_to_them.client()
        reply = await come_back(client, provider, lie)
        assert reply.status in (401, 403), lie
        assert "leadmill_session" not in client.cookies, lie
    client = open_to_them.client()
    await fetch(f"{provider}/lie?about=")
    await client.get("/sign-in")
    back = await fetch((await client.get("/sign-in/elsewhere")).headers["location"])
    path = back.removeprefix("http://leadmill.test")
    assert (await open_to_them.client().get(path)).status == 401  # another browser brings it back
    assert (await client.get(path.replace("state=", "state=x"))).status == 401
    assert (await client.get(path)).status == 401  # what it had begun is used up
