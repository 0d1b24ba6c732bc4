"""The console under attack: forms from elsewhere, stolen, made-up and planted cookies, roles that reach too far."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from leadmill.interfaces.console import deliveries, imports, leads, market, sign_in, users
from leadmill.interfaces.console import lead as lead_pages
from leadmill.parties import Right, Role, may
from tests.abuse.caller import Browser
from tests.abuse.running import Mill, lead, traces
from tests.abuse.test_hostile_text import HOSTILE, seen
from tests.answers import Reply
from tests.interfaces.stage import PASSWORD, PEOPLE

NEEDS = {
    "/leads/search": Right.READ,
    "/leads/{lead_id:str}/approve": Right.REVIEW,
    "/leads/{lead_id:str}/reject": Right.REVIEW,
    "/leads/{lead_id:str}/outcome": Right.REVIEW,
    "/leads/{lead_id:str}/override": Right.REVIEW,
    "/deliveries/resend": Right.RESEND,
    "/deliveries/{delivery_id:str}/resend": Right.RESEND,
    "/imports": Right.IMPORT,
    "/users": Right.MANAGE_USERS,
    "/users/{operator_id:str}": Right.MANAGE_USERS,
    "/sign-out": Right.READ,
    "/theme": Right.READ,
    "/keys": Right.READ,
}
"""What each form of the console asks of a role."""


def posts() -> list[str]:
    """Every address of the console that takes a form from somebody signed in; those of access are walked with all
    others by ``tests/interfaces/test_every_route.py``."""
    routes: list[Any] = []
    for module in (sign_in, leads, lead_pages, market, deliveries, imports, users):
        routes += module.ROUTES
    found = [path for route in routes if "POST" in route.http_methods for path in route.paths]
    return sorted({path for path in found if not path.startswith("/sign-in")})


def place(path: str) -> str:
    for name in ("lead_id", "delivery_id", "operator_id"):
        path = path.replace(f"{{{name}:str}}", "lead_00000000000000000000000000")
    return path


def id_of(admin: Browser, email: str) -> str:
    """The id of somebody who may sign in."""
    return admin.get("/users").text.partition(f">{email}<")[2].partition('action="/users/')[2].partition('"')[0]


def code_of(reply: Reply) -> str:
    """The code on a page that refuses."""
    assert reply.headers["content-type"].startswith("text/html"), reply.text[:200]
    assert reply.headers["x-request-id"] in reply.text
    found = re.search(r"· *<code>([a-z_.]+)</code>|· *([a-z_]+(?:\.[a-z_]+){2})", reply.text)
    assert found is not None, reply.text
    return found[1] or found[2]


@pytest.fixture(scope="module")
def admin(mill: Mill) -> Browser:
    return mill.signed_in(Role.ADMIN)


@pytest.fixture
def nothing_changed(mill: Mill, admin: Browser) -> Iterator[None]:
    """Nobody was added or changed, and everybody is still signed in."""
    before = admin.get("/v1/leads?limit=1").json, "nobody-new@example.com" in admin.get("/users").text
    yield
    assert (admin.get("/v1/leads?limit=1").json, "nobody-new@example.com" in admin.get("/users").text) == before


def test_every_form_of_the_console_has_its_right_written_down() -> None:
    assert posts() == sorted(NEEDS)


def send(browser: Browser, path: str, fields: dict[str, str], **headers: str) -> Reply:
    """A form to an address of the console, with what would add a person or change a role."""
    more = {"email": "nobody-new@example.com", "name": "x", "role": "admin", "password": "a long enough password"}
    if path == "/imports":
        browser.headers = dict(headers)
        try:
            return browser.upload(path, {"source": "gate", "vertical": "solar", **fields}, "x.csv", b"email\na@b.co\n")
        finally:
            browser.headers = {}
    return browser.submit(place(path), {**more, "q": "x", "disposition": "contacted", **fields}, **headers)


@pytest.mark.parametrize("path", posts())
def test_a_form_without_the_sessions_secret_does_nothing(
    mill: Mill, admin: Browser, nothing_changed: None, path: str
) -> None:
    other = mill.signed_in(Role.OPERATOR).secret()
    for secret in ("", "x" * 43, other, "\u00e9", "%00", "null"):
        assert code_of(send(admin, path, {"_csrf": secret})) in ("console.form.stale", "console.form.malformed")
    assert code_of(send(admin, path, {})) == "console.form.stale"
    if path != "/imports":
        assert code_of(send(admin, path + f"?_csrf={admin.secret()}", {})) == "console.form.stale"


@pytest.mark.parametrize("path", posts())
def test_a_form_from_another_site_does_nothing(mill: Mill, admin: Browser, nothing_changed: None, path: str) -> None:
    for site in ("cross-site", "same-site"):
        assert code_of(send(admin, path, {"_csrf": admin.secret()}, sec_fetch_site=site)) == "console.form.foreign"


@pytest.mark.parametrize("path", posts())
def test_a_form_without_a_session_leads_to_the_sign_in(mill: Mill, path: str) -> None:
    for cookie in (None, "", "made-up", "x" * 4000, "' OR 1=1 --", "%00"):
        browser = mill.browser()
        if cookie is not None:
            browser.cookies["leadmill_session"] = cookie
        reply = send(browser, path, {"_csrf": "x"})
        assert (reply.status, reply.headers.get("location")) == (303, "/sign-in"), reply.text[:200]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.COMPLIANCE, Role.OPERATOR])
def test_a_role_does_only_what_it_may(mill: Mill, admin: Browser, nothing_changed: None, role: Role) -> None:
    browser = mill.signed_in(role)
    secret = browser.secret()
    for path, right in NEEDS.items():
        if not may(role, right):
            reply = send(browser, path, {"_csrf": secret})
            assert (reply.status, code_of(reply)) == (403, "console.right.missing"), path
    page = browser.get("/users")
    assert (page.status, code_of(page)) == (403, "console.right.missing")


def test_nobody_makes_an_admin_of_oneself(mill: Mill, admin: Browser) -> None:
    for role in (Role.OPERATOR, Role.COMPLIANCE, Role.ANALYST):
        browser = mill.signed_in(role)
        secret = browser.secret()
        for operator_id in (id_of(admin, PEOPLE[role][0]), "me", ""):
            reply = browser.submit(f"/users/{operator_id}", {"_csrf": secret, "role": "admin"})
            assert reply.status == 403
        browser.cookies |= {"role": "admin", "leadmill_role": "admin"}
        assert browser.get("/users", x_role="admin", cookie_role="admin").status == 403


def test_an_analyst_sees_no_person_on_any_page(mill: Mill) -> None:
    taken = mill.caller().post("/v1/leads", lead()).json["lead_id"]
    browser = mill.signed_in(Role.ANALYST)
    paths = [f"/leads/{taken}?tab={tab}" for tab in ("why", "deliveries", "consent", "events", "raw")]
    for path in ("/leads", "/review", "/nurture", "/deliveries", "/imports", f"/leads/{taken}/drawer", *paths):
        assert traces(browser.get(path).text) == [], path


def test_a_session_planted_before_the_sign_in_is_worth_nothing_after_it(mill: Mill) -> None:
    browser = mill.browser()
    browser.cookies["leadmill_session"] = "planted-by-somebody-else"
    browser.get("/sign-in")
    reply = mill.sign_in(browser, PEOPLE[Role.OPERATOR][0], PASSWORD)
    assert reply.status == 303
    token = browser.cookies["leadmill_session"]
    assert token != "planted-by-somebody-else"
    thief = mill.browser()
    thief.cookies["leadmill_session"] = "planted-by-somebody-else"
    assert thief.get("/leads").status == 303
    for name, value in reply.all_headers:
        if name == "set-cookie" and value.startswith("leadmill_session="):
            assert "httponly" in value.lower() and "samesite=lax" in value.lower() and "path=/" in value.lower()
    assert token not in browser.get("/leads").text


def test_a_changed_or_ended_session_opens_nothing(mill: Mill) -> None:
    browser = mill.signed_in(Role.OPERATOR)
    token, secret = browser.cookies["leadmill_session"], browser.secret()
    thief = mill.browser()
    changed = [token[:-1] + ("A" if token[-1] != "A" else "B"), token.swapcase(), token + "=", token[:-1], f"{token} x"]
    for value in changed:
        thief.cookies["leadmill_session"] = value
        assert thief.get("/leads").status == 303
    assert browser.submit("/sign-out", {"_csrf": secret}).status == 303
    thief.cookies["leadmill_session"] = token
    assert thief.get("/leads").status == 303
    assert thief.submit("/leads/search", {"_csrf": secret, "q": "x"}).headers["location"] == "/sign-in"


def test_somebody_locked_out_is_out_at_once(mill: Mill, admin: Browser) -> None:
    secret = admin.secret("/users")
    fields = {
        "email": "passing@example.com",
        "name": "Passing",
        "role": "operator",
        "password": "a long enough password",
    }
    assert admin.submit("/users", {"_csrf": secret, **fields}).status == 303
    guest = mill.browser()
    guest.get("/sign-in")
    assert mill.sign_in(guest, fields["email"], fields["password"]).status == 303
    assert guest.get("/leads").status == 200
    operator_id = id_of(admin, fields["email"])
    assert admin.submit(f"/users/{operator_id}", {"_csrf": secret, "standing": "disable"}).status == 303
    assert guest.get("/leads").status == 303
    guest.get("/sign-in")
    assert mill.sign_in(guest, fields["email"], fields["password"]).status == 401


ELSEWHERE = [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "\\\\evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "/%09/evil.example",
    "http:evil.example",
    "///evil.example",
    "/\r\nx-evil: 1",
]


@pytest.mark.parametrize("goal", ELSEWHERE)
def test_signing_in_leads_nowhere_else(mill: Mill, goal: str) -> None:
    browser = mill.browser()
    browser.get("/sign-in")
    reply = mill.sign_in(browser, PEOPLE[Role.ANALYST][0], PASSWORD, next=goal)
    assert reply.status == 303
    assert reply.headers["location"] == "/leads" or reply.headers["location"].startswith("/%"), reply.headers[
        "location"
    ]
    assert "x-evil" not in reply.headers


def test_guessing_is_slowed_down_whatever_the_account(mill: Mill) -> None:
    browser = mill.browser()
    browser.get("/sign-in")
    statuses = [mill.sign_in(browser, "guessed@example.com", f"guess number {n}").status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    reply = mill.sign_in(browser, "GUESSED@example.com ", "another guess")
    assert reply.status == 429
    assert mill.signed_in(Role.ANALYST).get("/leads").status == 200


def test_odd_sign_ins_are_refused_like_any_wrong_one(mill: Mill) -> None:
    browser = mill.browser()
    browser.get("/sign-in")
    for email, password in (
        ("' OR 1=1 --", "x"),
        (PEOPLE[Role.ADMIN][0], "x" * 5000),
        ("\u202e@example.com", "\ud7ff"),
        ("", ""),
    ):
        reply = mill.sign_in(browser, email, password)
        assert reply.status == 401
        seen(reply.text)
    before = browser.cookies["leadmill_before"].encode()
    for body in (
        b"email=%00&password=%00",
        b"email=%ff%fe&password=%ed%a0%80",
        b"&" * 1000,
        b"email&password",
        b"a=1&" * 5000,
    ):
        reply = browser.submit("/sign-in", b"_csrf=" + before + b"&" + body)
        assert reply.status in (400, 401, 403), reply.text[:300]
    assert browser.submit("/sign-in", {"email": "x", "password": "y"}).status == 403


def test_broken_forms_are_refused_in_words(mill: Mill, admin: Browser) -> None:
    secret = admin.secret()
    cases: list[tuple[bytes, str]] = [
        (b"a=1&" * 5000 + b"_csrf=" + secret.encode(), "console.form.malformed"),
        (b"_csrf=" + secret.encode() + b"&q=%00", "console.form.malformed"),
        (b"_csrf=" + secret.encode() + b"&q=" + b"x" * 70_000, "console.form.too_large"),
        (b"_csrf=" + secret.encode() + b"&q=" + b"x" * (2 << 20), "api.body.too_large"),
        (b"\xff\xfe\x00", "console.form.malformed"),
    ]
    for body, code in cases:
        assert code_of(admin.submit("/leads/search", body)) == code
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data"):
        assert admin.post("/leads/search", b'{"_csrf":"x"}', content_type=kind).status in (400, 403)
        assert admin.post("/imports", b"--x\r\ncontent-disp", content_type=kind).status in (400, 403)


@pytest.mark.parametrize(
    "path",
    [
        "/leads/%00",
        "/leads/lead_%00",
        "/leads/x/drawer?tab=%00",
        "/leads?cursor=%00",
        "/deliveries?cursor=%00",
        "/imports/%00",
        "/leads/feed?after=%00",
        "/sign-in?next=%00",
        "/f/%00",
        "/f/solar-quote?zip=%00",
    ],
)
def test_a_nul_in_an_address_is_refused_in_words(mill: Mill, admin: Browser, path: str) -> None:
    assert admin.get(path).status in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/leads?cursor=x",
        "/leads?until=9999-12-31",
        "/leads?since=0001-01-01",
        "/leads?min=99999999999&max=-1",
        "/leads?state=x&test=9",
        "/leads?person=person_x&import=1",
        "/leads/lead_1?tab=secret",
        "/deliveries?state=x",
        "/deliveries?cursor=../..",
        "/imports/imp_x",
        "/imports/x/errors.csv",
        "/leads?since=2026-02-30",
        "/leads?min=%D9%A3",
        "/leads/feed/x",
        "/review?cursor=x",
        "/nurture?min=x",
    ],
)
def test_an_odd_address_breaks_no_page(mill: Mill, admin: Browser, path: str) -> None:
    reply = admin.get(path)
    assert reply.status in (200, 400, 404)
    seen(reply.text)


def test_a_feed_from_anywhere_begins_and_is_for_who_is_signed_in(mill: Mill, admin: Browser) -> None:
    mill.caller().post("/v1/leads", lead())
    for after in ("%01", "x", "lead_" + "0" * 26, "'", ""):
        assert mill.browser().get(f"/leads/feed?after={after}").status in (303, 401)
        with socket.create_connection((admin.host, admin.port), timeout=30) as line:
            line.sendall(admin.head("GET", f"/leads/feed?after={after}", {"last-event-id": "../x"}))
            heard = b""
            while b"data: " not in heard:
                piece = line.recv(4096)
                assert piece, heard
                heard += piece
        assert heard.startswith(b"HTTP/1.1 200")


def test_odd_cookies_break_no_page(mill: Mill, admin: Browser) -> None:
    session = admin.cookies["leadmill_session"]
    for cookie in (
        "tz=../../etc/passwd",
        "theme=<script>",
        "keys=;;;=",
        "tz=" + "x" * 5000,
        "=",
        "a=b=c; ;",
        '"',
        "$Version=1",
    ):
        reply = admin.get("/leads", cookie=f"leadmill_session={session}; {cookie}")
        assert reply.status == 200
        seen(reply.text)
    assert admin.get("/leads", cookie=b"leadmill_session=\xff\xfe").status == 303
    assert admin.get("/leads", cookie=f"leadmill_session=x; leadmill_session={session}").status in (200, 303)


def test_people_with_hostile_names_or_roles_are_refused_or_shown_as_text(mill: Mill, admin: Browser) -> None:
    secret = admin.secret("/users")
    for text in HOSTILE.values():
        fields = {"email": text, "name": text, "role": text, "password": "a long enough password"}
        reply = admin.submit("/users", {"_csrf": secret, **fields})
        assert reply.status == 422
        seen(reply.text)
    for number, text in enumerate(("<b>Bold</b>", "Robert'); DROP TABLE operator;--", "{{ 7*7 }}")):
        fields = {
            "email": f"odd{number}@example.com",
            "name": text,
            "role": "analyst",
            "password": "a long enough password",
        }
        assert admin.submit("/users", {"_csrf": secret, **fields}).status == 303
        assert text in seen(admin.get("/users").text)
    for role in ("superuser", "ADMIN", "", "admin\t"):
        fields = {"email": "nobody-else@example.com", "name": "x", "role": role, "password": "a long enough password"}
        assert admin.submit("/users", {"_csrf": secret, **fields}).status == 422
    assert "nobody-else@example.com" not in seen(admin.get("/users").text)


def test_the_last_admin_stays(mill: Mill, admin: Browser) -> None:
    secret = admin.secret("/users")
    mine = id_of(admin, PEOPLE[Role.ADMIN][0])
    odd = [{"role": "sultan"}, {"standing": "explode"}, {"password": "short"}, {"role": "ADMIN"}]
    for fields in (*odd, {"role": "analyst"}, {"standing": "disable"}):
        assert admin.submit(f"/users/{mine}", {"_csrf": secret, **fields}).status in (303, 422)
    assert admin.get("/users").status == 200
