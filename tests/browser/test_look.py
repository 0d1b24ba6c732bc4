"""Every page, in both themes, with much data, with none, and refused: free of accessibility faults, and kept as a
picture."""

from typing import Any

import pytest

from leadmill.parties import Role
from tests.browser.conftest import Opener, Visitor
from tests.browser.site import Site
from tests.interfaces.stage import solar

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""What hangs on the look."""
SCHEMES = ["light", "dark"]
PICTURED = {name: name for name in ("leads", "orders", "deliveries", "auctions")} | {"buyers/helio": "buyer"}
"""The pages of the tour in pictures, and what their pictures are called."""


def check(visitor: Visitor, name: str, whole: bool = False) -> None:
    """No accessibility fault; the picture is kept."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    visitor.shoot(name, whole)
    visitor.page.wait_for_load_state("load")  # a click opens a page without waiting for its style
    asked = COLOURS if visitor.colours_alone else RULES
    found = axe.run(visitor.page, options={"runOnly": asked}).response["violations"]
    told = [
        f"{item['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for item in found
        for node in item["nodes"][:3]
    ]
    assert not told, f"{name}: {told}"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_with_much_data_is_free_of_accessibility_faults(visit: Opener, site: Site, scheme: str) -> None:
    window = visit(site, Role.ADMIN, scheme, twin=True)
    for path in (
        "leads",
        "fraud",
        "scores/solar",
        "scores/solar/models/bills-1",
        "scores/solar/tiers",
        "people",
        "hygiene",
        "review",
        "nurture",
        "auctions",
        "orders",
        "markets",
        "markets/solar",
        "sources",
        "buyers",
        "buyers/helio",
        "teams",
        "deliveries",
        "imports",
        "what-if?order=helio-ca",
        "providers",
        "retention",
        "data-map",
        "agreements",
        "users",
    ):
        assert window.go(f"/{path}").status == 200, path
        if path in PICTURED and scheme == "light":
            if path == "leads":
                window.page.locator("live-feed[on]").wait_for(state="attached")
            window.picture(PICTURED[path])
        check(window, path.partition("?")[0].replace("/", "-"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_review_desk_is_free_of_accessibility_faults(visit: Opener, site: Site, scheme: str) -> None:
    window = visit(site, Role.ADMIN, scheme, twin=True)
    site.run(site.stage.send(solar(60, monthly_bill=4000)))  # it waits for a person
    window.go("/review/agreement")
    check(window, "review-agreement")
    window.go("/review")
    window.page.locator("a.row-link").first.click()
    window.page.get_by_role("heading", name="Why it waits").wait_for()
    check(window, "review-case", whole=True)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_lead_is_told_without_accessibility_faults_in_every_tab(visit: Opener, site: Site, scheme: str) -> None:
    window = visit(site, Role.ADMIN, scheme, twin=True)
    window.go("/leads?state=sold")
    lead_id = window.page.locator("#rows tr").first.get_attribute("id")
    for tab in ("why", "deliveries", "consent", "events", "raw"):
        assert window.go(f"/leads/{lead_id}?tab={tab}").status == 200
        if tab == "why" and scheme == "light":
            window.picture("lead")
        check(window, f"lead-{tab}", whole=True)
    window.page.get_by_role("link", name="All that is known of this person").click()
    assert window.page.get_by_role("heading", name="What they last said").is_visible()
    check(window, "person", whole=True)
    window.go(f"/leads/{lead_id}")
    for folded in window.page.locator("details.panel:has(dl.facts) > summary").all():
        folded.click()
    assert window.page.get_by_text("Facts: e-mail").is_visible()
    check(window, "lead-facts", whole=True)
    window.go("/leads")
    window.page.locator("#rows tr", has_text="Sold").first.locator("a.row-link").click()
    window.page.locator("#drawer .story").wait_for()
    check(window, "drawer")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_without_data_says_what_it_is_for(visit: Opener, bare_site: Site, scheme: str) -> None:
    window = visit(bare_site, Role.ADMIN, scheme, twin=True)
    for path in (
        "leads",
        "fraud",
        "scores/alerts",
        "people",
        "hygiene",
        "review",
        "nurture",
        "auctions",
        "orders",
        "markets",
        "sources",
        "buyers",
        "teams",
        "deliveries",
        "imports",
        "what-if",
        "providers",
    ):
        assert window.go(f"/{path}").status == 200, path
        assert window.page.locator(".empty h2").is_visible(), path
        check(window, f"none-{path.replace('/', '-')}")
    window.go("/scores/solar")
    check(window, "none-scores")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_refused_or_missing_says_so_plainly(visit: Opener, site: Site, scheme: str) -> None:
    window = visit(site, Role.ANALYST, scheme, twin=True)
    assert window.go("/users").status == 403
    check(window, "fault-forbidden")
    assert window.go("/nothing/here").status == 404
    check(window, "fault-missing")
    assert window.go("/leads/lead_00000000000000000000000000").status == 404
    window.go("/leads?state=sold&source=sunsearch&min=99")
    check(window, "leads-filtered-to-nothing")
    window.go("/leads")
    check(window, "leads-masked")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_pages_for_people_outside_are_free_of_accessibility_faults(visit: Opener, site: Site, scheme: str) -> None:
    window = visit(site, None, scheme, twin=True)
    window.go("/sign-in")
    check(window, "sign-in")
    window.go("/f/solar-quote")
    check(window, "form", whole=True)
    window.page.get_by_role("button").click()
    check(window, "form-faults", whole=True)
    window.go("/f/solar-quote/thanks")
    check(window, "form-thanks")
    assert window.go("/f/gone").status == 404
    check(window, "form-gone")
    assert window.go("/docs").status == 200
    check(window, "docs")
    window.go("/problems/api.body.invalid")
    check(window, "problem")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_help_the_filters_and_the_palette_are_free_of_accessibility_faults(
    visit: Opener, site: Site, scheme: str
) -> None:
    window = visit(site, Role.OPERATOR, scheme, twin=True)
    page: Any = window.page
    page.keyboard.press("f")
    page.get_by_label("Vertical").wait_for()
    check(window, "filters")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    check(window, "keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Go to, do, or find a lead").wait_for()
    check(window, "palette")
    window.page.set_viewport_size({"width": 420, "height": 800})
    window.go("/leads")
    check(window, "narrow")
