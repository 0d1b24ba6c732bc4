"""What is dangerous asks for a fresh proof of who it is, and is written down: every address and every command is
walked."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import leadmill.access.service
from leadmill.access import ACTS, acts_between
from leadmill.interfaces.cli.program import program
from leadmill.interfaces.dangers import Danger, danger_of
from leadmill.parties import Role
from tests.interfaces.stage import Stage, solar
from tests.interfaces.test_every_route import OUTSIDE, filled, litestar_of, public
from tests.interfaces.test_retention import compliance_key
from tests.interfaces.test_ways_in import secret

HARMLESS = {
    "/sign-in": "the way in itself, which counts tries",
    "/sign-out": "ends a session",
    "/theme": "a cookie",
    "/keys": "a cookie",
    "/prove": "is the proof",
    "/account/password": "asks for the old password, and is written down",
    "/account/sessions": "takes a way in away, and is written down",
    "/leads": "a lead's own story tells it, with its author",
    "/review": "the same",
    "/deliveries": "the same",
    "/people/rulings": "is taken back at any time, nothing is lost",
    "/providers": "asks once more",
    "/imports": "brings records in",
    "/what-if": "tries on a copy",
    "/optouts": "can only close what is open; its record tells who",
    "/requests": "the request's own story tells it, and nothing is let go of",
    "/retention/dry-run": "lets nothing go",
    "/retention/holds": "keeps what would have gone; its record tells who",
    "/v1/leads": "a lead's own story tells it",
    "/v1/people/search": "reads, which is noted",
    "/v1/privacy/requests": "writes down what somebody asks",
    "/v1/outcomes": "a report, in the lead's story",
    "/v1/feedback": "a report, in the lead's story",
    "/v1/known": "a buyer's own list",
    "/v1/optouts": "can only close what is open; its record tells who",
    "/v1/replies": "the same",
    "/v1/reviews": "the case's own story tells it",
    "/v1/scoring": "says that somebody looked, and changes no model",
    "/scores": "tried on recorded leads; what is put in force is a version of a record, with its author",
}
"""Addresses, with all below them, that change something and are not dangerous, and why."""

BY_VERBS = {"totp_added", "totp_removed", "codes_made", "passkey_added", "passkey_removed", "review_signed"}
"""Acts that the verbs of ``access`` write down themselves, whoever calls them."""


def routes(stage: Stage) -> Iterator[tuple[str, str, Any]]:
    """Every address with a verb and its handler."""
    for route in litestar_of(stage).routes:
        for handler in getattr(route, "route_handlers", ()):
            for verb in sorted({"GET", "POST"} & set(handler.http_methods)):
                yield re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path_format), verb, handler


def dangerous(stage: Stage) -> list[tuple[str, str, Any, Danger]]:
    found = [(path, verb, handler, danger_of(handler.opt)) for path, verb, handler in routes(stage)]
    return [(path, verb, handler, one) for path, verb, handler, one in found if one is not None]


PUBLIC = {
    "/f/{form_id}": "portals.form.throttled",
    "/f/{form_id}/visit": "consent.replay.throttled",
    "/f/{form_id}/anew": "",
    "/u/{token}": "",
    "/privacy": "429 with Retry-After",
    "/privacy/r/{token}": "429 with Retry-After",
    "/sign-in": "parties.sign_in.throttled",
    "/sign-in/passkey": "parties.sign_in.throttled",
    "/sign-in/passkey/options": "parties.sign_in.throttled",
}
"""Doors that ask for no key and no session, and what stops whoever comes too often; nothing where the same again writes
nothing: a cookie, or a wish that stands already and cannot be made for others."""


async def test_every_door_without_a_key_is_known_with_what_stops_a_flood(stage: Stage) -> None:
    keyless = set()
    for path, verb, handler in routes(stage):
        asks = inspect.signature(handler.fn).parameters.keys()
        guarded = {"desk", "newcomer", "halfway", "anybody", "reader"} & asks
        if verb == "POST" and not guarded and not path.startswith("/v1/"):
            keyless.add(path)
    assert keyless == PUBLIC.keys()


def below(path: str, beginning: str) -> bool:
    return path == beginning or path.startswith(f"{beginning}/")


async def test_every_address_that_changes_something_is_dangerous_or_says_why_not(stage: Stage) -> None:
    silent = [
        path
        for path, verb, handler in routes(stage)
        if verb == "POST" and danger_of(handler.opt) is None and not path.startswith(OUTSIDE) and not public(path)
        if not any(below(path, one) for one in HARMLESS)
    ]
    assert not silent, "declare opt=danger(…) with the route, or say in HARMLESS why it is not dangerous"
    acts = {one.act for _, _, _, one in dangerous(stage)}
    assert acts >= {
        "person_forgotten", "request_carried_out", "request_decided", "retention_run", "hold_lifted", "exported",
        "operator_added", "operator_changed", "key_made", "key_rotated", "key_revoked", "breach_report",
    }  # fmt: skip


async def test_nothing_dangerous_is_done_from_an_unlocked_desk(stage: Stage) -> None:
    client = await stage.signed_in(Role.ADMIN)
    csrf = await secret(client, "/account")
    async with stage.house.db.begin() as tx:
        await tx.conn.execute("UPDATE session SET proved_at = proved_at - interval '11 minutes'")
        before = await tx.conn.fetchval("SELECT count(*) FROM access_act")
    walked = 0
    for template, verb, _, _ in dangerous(stage):
        path = filled(template, {})
        if path.startswith("/v1/"):
            asked = client.post_json(path, {"why": "x"}) if verb == "POST" else client.get(path)
            assert ((reply := await asked).status, reply.json["code"]) == (403, "console.proof.stale"), path
        else:
            reply = await (client.post(path, {"_csrf": csrf}) if verb == "POST" else client.get(path))
            assert reply.status == 303 and reply.headers["location"].startswith("/prove?"), path
        walked += 1
    assert walked > 20
    async with stage.house.db.begin() as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM access_act") == before


async def test_whatever_is_dangerous_is_written_down_by_who_does_it(stage: Stage) -> None:
    verbs = "".join(path.read_text() for path in sorted(Path(leadmill.access.service.__file__).parent.glob("*.py")))
    for path, _, handler, one in dangerous(stage):
        if one.act in BY_VERBS:
            assert f'"{one.act}"' in verbs, one.act
            continue
        source = inspect.getsource(handler.fn)
        module = inspect.getsource(inspect.getmodule(handler.fn) or handler.fn)
        # What several routes share stands in a function of their module.
        assert ".note(tx" in source or (re.search(r"await _take\(", source) and ".note(tx" in module), path


async def test_forgetting_exporting_and_running_the_schedules_leave_their_acts(stage: Stage) -> None:
    lead = (await stage.send(solar()))["lead_id"]
    client = await stage.signed_in(Role.COMPLIANCE)
    csrf = await secret(client, "/account")
    key = {"authorization": f"Bearer {await compliance_key(stage)}"}
    async with stage.house.db.begin() as tx:
        person = await tx.conn.fetchval("SELECT person_id FROM lead WHERE id = $1", lead)
    assert (await client.get(f"/leads/{lead}/consent/certificate")).status == 200
    assert (await stage.client().get(f"/v1/certificates/{lead}/file", **key)).status == 200
    assert (await client.get("/optouts/export.csv")).status in (200, 403)
    assert (await client.post("/retention/run", {"_csrf": csrf, "sure": "yes"})).status == 303
    hold = {"_csrf": csrf, "subject": lead, "why": "a claim"}
    assert (await client.post("/retention/holds", hold)).status == 303
    async with stage.house.db.begin() as tx:
        held = await tx.conn.fetchval("SELECT id FROM retention_hold")
    assert (await client.post(f"/retention/holds/{held}/lift", {"_csrf": csrf, "why": "settled"})).status == 303
    reply = await stage.client().post_json(f"/v1/people/{person}/forget", {"why": "asked us"}, **key)
    assert reply.status == 200
    async with stage.house.db.begin() as tx:
        told = {(one.what, one.about) for one in await acts_between(tx, *_ever(stage), 100)}
    assert {("exported", lead), ("hold_lifted", held), ("person_forgotten", person)} <= told
    assert "retention_run" in {what for what, _ in told}


def _ever(stage: Stage) -> tuple[Any, Any]:
    now = stage.house.clock()
    return now.replace(year=now.year - 1), now.replace(year=now.year + 1)


COMMANDS = {
    "backup": "backed_up",
    "restore": "restored",
    "forget": "person_forgotten",
    "retention run": "retention_run",
    "retention release": "hold_lifted",
    "privacy fulfil": "request_carried_out",
    "privacy deny": "request_decided",
    "suppress export": "exported",
    "certificate export": "exported",
    "verify": "exported",
    "key add": "key_made",
    "key rotate": "key_rotated",
    "key revoke": "key_revoked",
    "key rotate-master": "master_changed",
    "user add": "operator_added",
    "user reset-factors": "factors_reset",
    "security breach-report": "breach_report",
}
"""Commands that are dangerous, and under which name each is written down."""


def commands(app: typer.Typer, before: str = "") -> Iterator[tuple[str, Any]]:
    for one in app.registered_commands:
        yield f"{before}{one.name}", one.callback
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands(group.typer_instance, f"{before}{group.name} ")


def test_dangerous_commands_are_written_down_as_well() -> None:
    nothing: Any = None
    found = dict(commands(program(nothing, nothing, nothing)))
    assert not COMMANDS.keys() - found.keys()
    words = re.compile(r"forget|delete|export|restore|backup|revoke|rotate|fulfil|release|reset")
    assert not {name for name in found if words.search(name)} - COMMANDS.keys()
    for name, act in COMMANDS.items():
        assert act in ACTS
        module = inspect.getsource(inspect.getmodule(found[name]) or found[name])
        assert f'"{act}"' in module or "reset_factors(" in module, name
