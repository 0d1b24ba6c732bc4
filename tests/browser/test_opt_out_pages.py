"""The pages about who wants to hear no more, for operators and for people: free of accessibility faults in both looks,
with much data and with none, kept as pictures."""

import httpx
import pytest

from leadmill.parties import Role
from tests.browser.conftest import Opener, Visitor
from tests.browser.site import Site
from tests.browser.test_look import check


@pytest.fixture(scope="module")
def leaving(site: Site) -> str:
    """Some seventy opt-outs, a doubtful one and one of a lead that was sold; that lead."""
    headers = {"authorization": f"Bearer {site.stage.operator_key}"}
    with httpx.Client(base_url=site.url, headers=headers, timeout=60) as api:
        sold = api.get("/v1/leads", params={"status": "sold"}).json()["items"][0]["lead_id"]
        many = [{"email": f"leaving.{number}@example.com", "channel": "web"} for number in range(70)]
        assert api.post("/v1/optouts", json={"optouts": many}).status_code == 200
        assert api.post("/v1/optouts", json={"lead_id": sold, "channel": "agent"}).status_code == 200
        other = api.get("/v1/leads", params={"status": "sold"}).json()["items"][-1]["lead_id"]
        said = api.post("/v1/replies", json={"lead_id": other, "text": "Stop by at 5?"})
        assert said.json()["result"] == "review"
    return str(sold)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_opting_out_can_be_read_by_everybody(visit: Opener, site: Site, leaving: str, scheme: str) -> None:
    window = visit(site, Role.COMPLIANCE, scheme, twin=True)
    assert window.go("/optouts").status == 200
    window.page.locator("tbody details summary").first.click()
    check(window, "optouts", whole=True)
    window.go("/optouts?state=review")
    assert window.page.get_by_text("Stop by at 5?").is_visible()
    check(window, "optouts-doubtful")
    window.go(f"/leads/{leaving}")
    assert window.page.get_by_text("This person opted out on").is_visible()
    check(window, "lead-opted-out")
    person = visit(site, scheme=scheme, scripts=True, twin=True)
    person.go("/privacy")
    check(person, "privacy")
    person.page.get_by_role("button", name="Contact me no more").click()
    check(person, "privacy-wrong")


def test_nobody_has_opted_out_or_asked_yet_and_the_page_works_without_scripts(visit: Opener, bare_site: Site) -> None:
    window: Visitor = visit(bare_site, Role.COMPLIANCE)
    window.go("/optouts")
    assert window.page.get_by_role("heading", name="Nobody has opted out yet").is_visible()
    check(window, "optouts-empty")
    window.go("/requests?show=all")
    assert window.page.get_by_role("heading", name="Nobody has asked anything yet").is_visible()
    window.go("/requests")
    window.page.get_by_text("Write a request down").click()
    check(window, "requests-empty", whole=True)
    person = visit(bare_site, scripts=False)
    person.go("/privacy")
    person.page.get_by_label("E-mail address").fill("ana@example.com")
    person.page.get_by_role("button", name="Contact me no more").click()
    assert person.page.get_by_role("heading", name="It is done").is_visible()
    window.go("/optouts")
    assert window.page.get_by_role("cell", name="Our page").is_visible()
