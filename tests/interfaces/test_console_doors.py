"""Who gets into the console, how long, and what each role may do there."""

import pytest

from leadmill.parties import Role
from tests.interfaces.client import Client
from tests.interfaces.stage import PASSWORD, PEOPLE, Stage, solar


def mine(client: Client) -> dict[str, str]:
    """What an operator types into the form."""
    return {"_csrf": client.cookies["leadmill_before"], "email": PEOPLE[Role.OPERATOR][0], "password": PASSWORD}


PAGES = ("/leads", "/review", "/nurture", "/orders", "/sources", "/buyers", "/teams", "/deliveries", "/imports")


async def test_nobody_sees_a_page_without_signing_in(stage: Stage) -> None:
    for path in (*PAGES, "/users", "/leads/lead_1", "/leads/lead_1/drawer"):
        reply = await stage.client().get(path)
        assert (reply.status, reply.headers["location"]) == (303, f"/sign-in?next={path}")


async def test_a_script_without_a_session_is_sent_to_sign_in(stage: Stage) -> None:
    reply = await stage.client().get("/leads", **{"hx-request": "true"})
    assert (reply.status, reply.headers["hx-redirect"]) == (200, "/sign-in")
    assert (await stage.client().get("/leads/feed", accept="text/event-stream")).status == 401


async def test_signing_in_goes_on_to_where_one_was_going(stage: Stage) -> None:
    client = stage.client()
    page = await client.get("/sign-in?next=/orders")
    assert page.status == 200 and 'value="/orders"' in page.text and "Nobody can sign in yet" not in page.text
    reply = await client.post(
        "/sign-in",
        {
            "_csrf": client.cookies["leadmill_before"],
            "email": PEOPLE[Role.OPERATOR][0],
            "password": PASSWORD,
            "next": "/orders",
        },
    )
    assert (reply.status, reply.headers["location"]) == (303, "/orders")
    cookie = next(
        value for name, value in reply.all_headers if name == "set-cookie" and value.startswith("leadmill_session=")
    )
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie.replace("Lax", "lax")


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
async def test_signing_in_never_leads_to_another_site(stage: Stage, there: str) -> None:
    client = stage.client()
    await client.get("/sign-in")
    reply = await client.post(
        "/sign-in",
        {
            "_csrf": client.cookies["leadmill_before"],
            "email": PEOPLE[Role.OPERATOR][0],
            "password": PASSWORD,
            "next": there,
        },
    )
    assert reply.headers["location"] == "/leads"


async def test_a_wrong_password_and_an_unknown_address_read_the_same(stage: Stage) -> None:
    client = stage.client()
    await client.get("/sign-in")
    texts = []
    for email in (PEOPLE[Role.ADMIN][0], "nobody@example.com"):
        reply = await client.post(
            "/sign-in", {"_csrf": client.cookies["leadmill_before"], "email": email, "password": "not it at all"}
        )
        assert reply.status == 401
        texts.append(reply.text.replace(email, ""))
    assert texts[0] == texts[1] and "is not right" in texts[0]


async def test_guessing_is_slowed_down(stage: Stage) -> None:
    client = stage.client()
    await client.get("/sign-in")
    fields = {"_csrf": client.cookies["leadmill_before"], "email": PEOPLE[Role.ADMIN][0], "password": "guess"}
    statuses = [(await client.post("/sign-in", fields)).status for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    reply = await client.post("/sign-in", {**fields, "password": PASSWORD})
    assert reply.status == 429 and "too many tries" in reply.text.lower()


async def test_a_sign_in_form_of_another_site_is_refused(stage: Stage) -> None:
    client = stage.client()
    fields = {"_csrf": "made up", "email": PEOPLE[Role.ADMIN][0], "password": PASSWORD}
    assert (await client.post("/sign-in", fields)).status == 403
    await client.get("/sign-in")
    fields["_csrf"] = client.cookies["leadmill_before"]
    assert (await client.post("/sign-in", fields, **{"sec-fetch-site": "cross-site"})).status == 403


async def test_signing_out_ends_the_session_everywhere(stage: Stage) -> None:
    client = await stage.signed_in(Role.OPERATOR)
    token = client.cookies["leadmill_session"]
    assert (await client.post("/sign-out", {"_csrf": await secret(client)})).status == 303
    client.cookies["leadmill_session"] = token
    assert (await client.get("/leads")).status == 303


async def secret(client: Client) -> str:
    """The session's secret as it stands in every form of a page."""
    page = await client.get("/orders")
    found: str = page.text.partition('name="_csrf" value="')[2].partition('"')[0]
    return found


FORMS = (
    "/theme", "/keys", "/sign-out", "/leads/search", "/leads/lead_1/approve", "/leads/lead_1/reject",
    "/leads/lead_1/correct", "/providers/again",
    "/leads/lead_1/outcome", "/deliveries/resend", "/deliveries/dlv_1/resend", "/users", "/users/op_1",
)  # fmt: skip


async def test_no_form_is_taken_without_the_sessions_secret(stage: Stage) -> None:
    client = await stage.signed_in(Role.ADMIN)
    for path in FORMS:
        for fields in ({}, {"_csrf": "x"}):
            reply = await client.post(path, {**fields, "theme": "dark"})
            assert reply.status == 403 and "earlier session" in reply.text, path


async def test_each_role_does_what_it_is_there_for(stage: Stage) -> None:
    taken = await stage.send({**solar(3), "fields": {"first_name": "Jo", "email": "jo.thin@gmail.com", "zip": "94110"}})
    tries = {
        "/users": {},
        f"/leads/{taken['lead_id']}/reject": {"why": "x"},
        "/deliveries/resend": {},
    }
    allowed = {
        Role.ADMIN: {"/users", f"/leads/{taken['lead_id']}/reject", "/deliveries/resend"},
        Role.OPERATOR: {f"/leads/{taken['lead_id']}/reject", "/deliveries/resend"},
        Role.COMPLIANCE: {f"/leads/{taken['lead_id']}/reject"},
        Role.ANALYST: set(),
    }
    for role, may in allowed.items():
        client = await stage.signed_in(role)
        csrf = await secret(client)
        for path, fields in tries.items():
            reply = await client.post(path, {"_csrf": csrf, **fields})
            refused = reply.status == 403 and "your role" in reply.text.lower()
            assert refused is (path not in may), (role, path, reply.status)


async def test_personal_values_are_masked_for_an_analyst_and_raw_ones_for_an_operator(stage: Stage) -> None:
    lead_id = (await stage.send(solar()))["lead_id"]
    analyst, operator, compliance = [await stage.signed_in(r) for r in (Role.ANALYST, Role.OPERATOR, Role.COMPLIANCE)]
    for path in ("/leads", *[f"/leads/{lead_id}?tab={t}" for t in ("why", "deliveries", "consent", "events", "raw")]):
        text = (await analyst.get(path)).text
        for personal in ("Ruiz", "ana.ruiz", "601-2300", "4156012300", "203.0.113.7", "Mozilla"):
            assert personal not in text, (path, personal)
    assert "Ana Ruiz" in (await operator.get("/leads")).text
    assert "ana.ruiz@gmail.com" in (await operator.get(f"/leads/{lead_id}")).text
    assert "Not for your role" in (await operator.get(f"/leads/{lead_id}?tab=raw")).text
    assert "&#34;ana.ruiz@gmail.com&#34;" in (await compliance.get(f"/leads/{lead_id}?tab=raw")).text


async def test_a_theme_is_kept_in_the_browser(stage: Stage) -> None:
    client = await stage.signed_in(Role.ANALYST)
    reply = await client.post(
        "/theme", {"_csrf": await secret(client), "theme": "dark"}, referer="http://leadmill.test/orders?x=1"
    )
    assert reply.headers["location"] == "/orders?x=1"
    assert '<html lang="en" data-theme="dark">' in (await client.get("/orders")).text
