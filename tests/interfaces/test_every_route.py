"""Every address there is, walked: where a lead is shown somebody has noted it, every page keeps the safe headers and
runs nothing inline, and no form is taken from another site."""

import re
from typing import Any

import pytest
from litestar import Litestar

from leadmill.interfaces.api.openapi import describe
from leadmill.interfaces.guard import guarded
from leadmill.interfaces.web import framework
from leadmill.parties import Role, read_scopes, scope_of
from tests.answers import Reply
from tests.interfaces.client import Client
from tests.interfaces.stage import Stage, solar

MARKS = ("Wilhelmina", "Zanzibarian", "w.zanzibarian@gmail.com", "415-699-1234", "4156991234", "+14156991234")
"""What tells that a record of the walked lead is shown; its id alone is no record."""
STREAMS = {"/leads/feed"}
OUTSIDE = ("/f/", "/embed.js", "/static/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/u/", "/e/")
RECORDED = {"/leads/{lead_id}/consent/replay"}
"""Pages that show how another page looked: its styles stand in it as they stood, and no script of it runs."""
INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S|<style|\son[a-z]+\s*=|\sstyle\s*=|javascript:", re.IGNORECASE)


def litestar_of(_: Stage) -> Litestar:
    """The framework's application inside."""
    return framework()


def addresses(stage: Stage, verb: str) -> list[str]:
    """The templates of every address that takes this verb."""
    found = set()
    for route in litestar_of(stage).routes:
        if verb in getattr(route, "methods", ()):
            found.add(re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path_format if "{" in route.path_format else route.path))
    return sorted(found)


async def walked(stage: Stage) -> dict[str, str]:
    """A lead whose person cannot be mistaken, and what the addresses' places are filled with."""
    body = solar(1, first_name="Wilhelmina", last_name="Zanzibarian", email=MARKS[2], phone="415-699-1234")
    lead_id = (await stage.send(body))["lead_id"]
    async with stage.house.db.begin() as tx:
        person_id = await tx.conn.fetchval("SELECT person_id FROM lead WHERE id = $1", lead_id)
    return {
        "lead_id": lead_id,
        "person_id": str(person_id),
        "buyer_id": "helio",
        "vertical": "solar",
        "market": "solar",
        "name": "solar",
        "form_id": "solar-quote",
        "source_id": "acme-media",
        "order_id": "helio-ca",
    }


def filled(template: str, places: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: places.get(found[1], "nothing_1"), template)


async def reads_of(stage: Stage, lead_id: str) -> int:
    async with stage.house.db.begin() as tx:
        return int(await tx.conn.fetchval("SELECT count(*) FROM lead_read WHERE lead_id = $1", lead_id))


def shows(reply: Reply) -> bool:
    return any(mark in reply.text for mark in MARKS)


async def test_wherever_a_lead_is_shown_it_is_noted_who_read_it(stage: Stage) -> None:
    places = await walked(stage)
    client = await stage.signed_in(Role.ADMIN)
    program = {"authorization": f"Bearer {stage.operator_key}"}
    shown = []
    for template in addresses(stage, "GET"):
        if template in STREAMS or template.startswith(OUTSIDE):
            continue
        path = filled(template, places)
        tabs = (
            [f"{path}?tab={tab}" for tab in ("deliveries", "consent", "events", "raw")] if "lead_id" in template else []
        )
        for each in [path, *tabs]:
            before = await reads_of(stage, places["lead_id"])
            if each.startswith("/v1/"):
                reply = await stage.client().get(each, **program)
            else:
                reply = await client.get(each)
            assert reply.status < 500, each
            if shows(reply):
                shown.append(template)
                assert await reads_of(stage, places["lead_id"]) > before, f"{each} shows a lead and nobody noted it"
    assert {"/leads", "/leads/{lead_id}", "/leads/{lead_id}/drawer", "/people/{person_id}", "/v1/leads"} <= set(shown)


async def test_every_page_keeps_the_safe_headers_and_runs_nothing_inline(stage: Stage) -> None:
    places = await walked(stage)
    client, stranger = await stage.signed_in(Role.ADMIN), stage.client()
    pages = 0
    for template in addresses(stage, "GET"):
        if template in STREAMS:
            continue
        for who in (client, stranger):
            reply = await who.get(filled(template, places), accept="text/html")
            policy = reply.headers["content-security-policy"]
            inline = "style-src 'self' 'unsafe-inline'" if template in RECORDED else "nothing"
            assert "default-src 'none'" in policy and "script-src 'self'" in policy, template
            assert "unsafe" not in policy.replace(inline, ""), template
            assert reply.headers["x-content-type-options"] == "nosniff", template
            assert reply.headers["x-frame-options"] == "DENY" or "frame-ancestors" in policy, template
            assert reply.headers["referrer-policy"] and reply.headers["cross-origin-opener-policy"], template
            assert "strict-transport-security" not in reply.headers, template  # this site is on plain HTTP
            if "text/html" in reply.headers.get("content-type", ""):
                pages += 1
                assert not INLINE.search(reply.text), (template, INLINE.search(reply.text))
    assert pages > 40


OPEN_FORMS = {
    "/sign-in": "its secret is another, tried elsewhere",
    "/sign-in/passkey": "the same",
    "/sign-in/passkey/options": "the same",
}


async def test_no_form_of_the_console_is_taken_without_the_sessions_secret_or_from_another_site(stage: Stage) -> None:
    places = await walked(stage)
    client = await stage.signed_in(Role.ADMIN)
    posts = [
        each
        for each in addresses(stage, "POST")
        if not each.startswith(("/v1/", *OUTSIDE)) and each not in OPEN_FORMS and not public(each)
    ]
    assert len(posts) > 25
    for template in posts:
        path = filled(template, places)
        if template.startswith("/sign-in/factor"):
            continue  # takes sessions that are halfway
        for fields, headers in (({}, {}), ({"_csrf": "x"}, {}), ({}, {"sec-fetch-site": "cross-site"})):
            reply = await client.post(path, fields, **headers)
            assert reply.status in (400, 403), (template, fields, headers, reply.status)


def public(template: str) -> bool:
    """Whether anybody may post there: what people say of themselves needs no session."""
    return template == "/privacy" or template.startswith("/privacy/")


def test_every_operation_of_the_api_is_in_reach_of_a_scope() -> None:
    for path, verbs in describe({}, "1")["paths"].items():
        for verb in verbs:
            if path.startswith("/v1/") and path != "/v1/openapi.json":
                read_scopes([scope_of(verb.upper(), path)])


@pytest.mark.parametrize(("secure", "scheme", "sealed"), [(False, "http", False), (True, "http", True),
                                                          (False, "https", True)])  # fmt: skip
async def test_browsers_are_held_to_https_where_they_came_by_it(secure: bool, scheme: str, sealed: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await guarded(app, secure)({**scope, "scheme": scheme}, receive, send)

    reply = await Client(behind).get("/")
    assert ("strict-transport-security" in reply.headers) is sealed
