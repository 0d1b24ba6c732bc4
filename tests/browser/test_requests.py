"""The pages of consumers' requests, for people and for the desk: free of accessibility faults in both looks, with much
data and with none, by keyboard, kept as pictures."""

import httpx
import pytest

from leadmill.parties import Role
from leadmill.privacy import Ticket, seal_ticket
from tests.browser.conftest import Opener
from tests.browser.site import Site
from tests.browser.test_look import check


@pytest.fixture(scope="module")
def asked(site: Site) -> dict[str, str]:
    """A dozen requests, and one that was answered with the very data; their ids by what they are."""
    headers = {"authorization": f"Bearer {site.stage.operator_key}"}
    with httpx.Client(base_url=site.url, headers=headers, timeout=60) as api:
        sold = api.get("/v1/leads", params={"status": "sold"}).json()["items"][0]
        email, zip_code = sold["fields"]["email"], sold["fields"]["zip"]
    who = {"name": "Ana Ruiz", "email": email, "zip": zip_code, "home": "CA", "declared": "yes"}
    found = {}
    with httpx.Client(base_url=site.url, timeout=60) as person:
        for kind in ("know", "delete", "correct"):
            right = {"right_city": "Sacramento"} if kind == "correct" else {}
            page = person.post("/privacy", data={"request": kind, **who, **right})
            assert page.status_code == 200, page.text
            found[kind] = page.text.split("Request prv_")[1].split("<")[0].strip()
        for number in range(8):
            page = person.post("/privacy", data={"request": "opt_out", "email": f"leaving.{number}@example.com"})
            assert page.status_code == 200
    return {kind: f"prv_{ident}" for kind, ident in found.items()}


def link(site: Site, request_id: str) -> str:
    vault = site.stage.house.vault
    return f"/privacy/r/{seal_ticket(vault.keyed_hash, vault.seal, Ticket(request_id, letter=True))}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_request_is_made_seen_to_and_answered(visit: Opener, site: Site, asked: dict[str, str], scheme: str) -> None:
    person = visit(site, scheme=scheme, twin=True)
    person.go("/privacy?request=know")
    check(person, "privacy-know", whole=True)
    person.page.get_by_role("link", name="Correct").click()
    person.page.get_by_label("E-mail address").fill("nobody")
    person.page.get_by_role("button", name="Ask for correction").click()
    assert person.page.get_by_role("alert").is_visible()
    check(person, "privacy-correct-wrong", whole=True)
    desk = visit(site, Role.COMPLIANCE, scheme, twin=True)
    kind = "know" if scheme == "light" else "delete"
    person.go(link(site, asked[kind]))
    check(person, f"privacy-confirm-{kind}")
    bare = visit(site, scheme=scheme, scripts=False, twin=True)
    bare.go(link(site, asked[kind]))
    bare.page.get_by_role("button", name="Yes, this was me").click()
    assert bare.page.get_by_text("somebody of ours is looking after it").is_visible()
    desk.go("/requests")
    check(desk, "requests", whole=True)
    desk.go(f"/requests/{asked[kind]}")
    check(desk, f"request-{kind}", whole=True)
    if kind == "delete":
        desk.page.get_by_label("Type delete").fill("delete")
        desk.page.keyboard.press("Enter")
    else:
        desk.page.get_by_role("button", name="Compile the answer").click()
    desk.page.get_by_text("It is being carried out; the person").wait_for()
    for _ in range(100):
        desk.go(f"/requests/{asked[kind]}")
        if desk.page.get_by_role("heading", name="The answer").is_visible():
            break
        desk.page.wait_for_timeout(200)
    check(desk, f"request-{kind}-answered", whole=True)
    person.go(link(site, asked[kind]))
    says = "This is everything we hold" if kind == "know" else "is destroyed"
    assert person.page.get_by_text(says).is_visible()
    if kind == "know":
        person.page.locator("details.more summary").first.click()
    check(person, f"privacy-answer-{kind}", whole=True)
