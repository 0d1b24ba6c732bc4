"""The posting instructions as a sender sees them: reached from the console, readable without signing in."""

import pytest

from leadmill.parties import Role
from tests.browser.conftest import Opener
from tests.browser.site import Site
from tests.browser.test_look import SCHEMES, check


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_posting_instructions_are_free_of_accessibility_faults(visit: Opener, site: Site, scheme: str) -> None:
    window = visit(site, Role.ADMIN, scheme, twin=True)
    window.go("/sources")
    path = window.page.get_by_role("link", name="Posting instructions").first.get_attribute("href")
    assert path is not None
    stranger = visit(site, None, scheme, twin=True)
    assert stranger.go(path).status == 200
    check(stranger, "posting", whole=True)
    assert stranger.page.get_by_role("heading", level=1).inner_text().startswith("Posting leads: ")
