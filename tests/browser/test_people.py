"""The pages about people with much to decide and to read, and the page of whoever comes back to a form: free of
accessibility faults, no wider than the window, kept as a picture."""

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from leadmill.flow.model import LeadFilter
from leadmill.flow.store import list_leads
from leadmill.identity import HouseholdLink, Suggestion, rule, unrule
from leadmill.identity.store.persons import add_links, add_suggestions
from leadmill.linkage import Part
from leadmill.parties import Role
from tests.browser.conftest import Opener, Visitor
from tests.browser.site import Site
from tests.browser.test_look import SCHEMES, check
from tests.flow.stage import apply

PAIRS = 90
PARTS = [
    Part("birth date", "same", 14.1),
    Part("family name", "same", 9.7),
    Part("street", "near", 3.2),
    Part("email", "other", -1.4),
]
FORM: dict[str, Any] = {
    "id": "solar-more",
    "vertical": "solar",
    "source": "own-site",
    "title": "What would solar save you?",
    "intro": "Two minutes. Installers near you answer.",
    "progressive": True,
    "steps": [
        {"title": "You and your roof", "fields": ["zip", "homeowner", "roof_type", "first_name", "email", "phone"]}
    ],
    "consent": {"text": "I agree that Helio Solar LLC may call and e-mail me at the number I gave."},
}


def fits(window: Visitor) -> bool:
    """Whether nothing but what scrolls by itself is wider than the window."""
    found: bool = window.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    return found


@pytest.fixture(scope="module")
def crowded(site: Site) -> str:
    """Ninety pairs to decide about, a dozen rulings, and one person with many of both; that person."""

    async def fill() -> str:
        house = site.stage.house
        now = house.clock()
        async with house.db.begin() as tx:
            rows, _ = await list_leads(tx, LeadFilter(), limit=200)
            persons = sorted({row.person_id for row in rows})
            lead_id, middle = rows[0].id, persons[0]
            pairs = [*combinations(persons, 2)][: PAIRS + 20]
            ruled, suggested, tied = pairs[:12], pairs[12 : 12 + PAIRS], pairs[4:12]
            why = "She called and said so; the address is her mother's, who also asked for an offer last spring."
            made = [await rule(tx, house.mint, low, high, "two", by="op_x", why=why, now=now) for low, high in ruled]
            await add_suggestions(
                tx,
                [
                    Suggestion(
                        low=low,
                        high=high,
                        kind="bridge" if number % 5 == 0 else "possible",
                        bits=25.6 - number / 4,
                        parts=PARTS,
                        lead_id=lead_id,
                        at=now - timedelta(hours=number),
                    )
                    for number, (low, high) in enumerate(suggested)
                ],
                now,
            )
            links = [HouseholdLink(low=low, high=high, kind="household", shares="phone", at=now) for low, high in tied]
            await add_links(tx, links, now)
        async with house.db.begin() as tx:
            for one in made[::3]:
                await unrule(tx, one.id, by="op_x", why="It was her daughter.", now=now)
        return middle

    person: str = site.run(fill())
    return person


@pytest.mark.parametrize("scheme", SCHEMES)
def test_people_with_much_to_decide_are_free_of_accessibility_faults(
    visit: Opener, site: Site, crowded: str, scheme: str
) -> None:
    window = visit(site, Role.ADMIN, scheme, twin=True)
    window.go("/people")
    assert window.page.get_by_role("button", name="One person").count() >= PAIRS
    check(window, "people-much", whole=True)
    assert fits(window)
    window.go(f"/people/{crowded}")
    assert window.page.get_by_role("heading", name="Who else they may be").is_visible()
    check(window, "person-much", whole=True)
    window.page.set_viewport_size({"width": 420, "height": 800})
    for path in ("/people", f"/people/{crowded}"):
        window.go(path)
        assert fits(window), path
    check(window, "person-narrow", whole=True)


def test_whoever_comes_back_is_asked_what_is_missing_and_the_browser_tells_of_itself(visit: Opener, site: Site) -> None:
    site.run(apply(site.stage.house, {"form": [FORM]}))
    window = visit(site, None, "light")
    page = window.page
    window.go("/f/solar-more")
    for label, text in (("ZIP code", "94110"), ("First name", "Rosalinde"), ("E-mail", "rosa.lind@gmail.com")):
        page.get_by_label(label, exact=False).first.press_sequentially(text, delay=20)
    page.get_by_label("Phone", exact=False).first.press_sequentially("4156017711", delay=20)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/thanks")
    window.go("/f/solar-more")
    assert page.get_by_text("You have been here before").is_visible()
    assert page.locator("[id^=in-]").count() == 3 and "Rosalinde" not in page.content()
    check(window, "form-return", whole=True)
    page.get_by_role("button", name="That was somebody else").click()
    page.get_by_label("First name", exact=False).wait_for()

    async def last() -> Any:
        house = site.stage.house
        async with house.db.begin() as tx:
            rows, _ = await list_leads(tx, LeadFilter(source_id="own-site"), limit=1)
            return house.pen.open_lead(rows[0])

    context = site.run(last()).context
    assert len(context["device_id"]) == 32 and context["browser_language"] and context["time_zone"]
