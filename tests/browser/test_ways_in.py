"""Second factors as people meet them: a code app and a passkey set up by keyboard, asked for, and shown alone; the
pages of access, free of accessibility faults. Chromium's own virtual device stands in for a telephone."""

from collections.abc import Iterator

import pytest

from leadmill.access.service import reset_factors
from leadmill.parties import Role
from leadmill.parties.store import find_sign_in
from leadmill.runtime.clock import system_clock
from tests.access.codes import code_of
from tests.browser.conftest import Opener, Visitor
from tests.browser.site import Site
from tests.browser.test_look import check
from tests.interfaces.stage import PASSWORD, PEOPLE


@pytest.fixture
def named(site: Site) -> Iterator[Site]:
    """The site by its name: browsers bind no passkey to an IP address. Nobody keeps a second factor."""
    yield Site(site.url.replace("127.0.0.1", "localhost"), site.stage, site._loop)

    async def reset() -> None:
        async with site.stage.house.db.begin() as tx:
            found = await find_sign_in(tx, PEOPLE[Role.ANALYST][0])
            assert found is not None
            await reset_factors(tx, found[0].id, "test", system_clock())

    site.run(reset())


def device(window: Visitor) -> None:
    """A telephone that unlocks itself."""
    session = window.page.context.new_cdp_session(window.page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def press(window: Visitor, name: str) -> None:
    """Find a button and press it by keyboard."""
    button = window.page.get_by_role("button", name=name, exact=True)
    button.focus()
    button.press("Enter")


def test_a_code_app_and_a_passkey_from_the_account_to_the_next_sign_in(visit: Opener, named: Site) -> None:
    window = visit(named, Role.ANALYST, scheme="dark")
    page = window.page
    device(window)
    window.go("/account")
    check(window, "account")
    press(window, "Set up a code app")
    page.get_by_label("Code", exact=True).wait_for()
    check(window, "code-app")
    secret = page.locator("code").first.inner_text()
    page.get_by_label("Code", exact=True).fill(code_of(secret, system_clock()))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Recovery codes").wait_for()
    code = page.get_by_label("Recovery codes").inner_text().split()[0]
    check(window, "recovery-codes")
    window.go("/account")
    page.get_by_label("What you call it").fill("Telephone")
    page.keyboard.press("Enter")
    page.get_by_role("cell", name="Telephone", exact=True).wait_for()
    check(window, "account-full", whole=True)

    press(window, "Sign out")
    page.wait_for_url("**/sign-in*")
    page.get_by_label("E-mail").fill(PEOPLE[Role.ANALYST][0])
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="One thing more").wait_for()
    page.get_by_role("button", name="Show a passkey").wait_for()
    check(window, "factor")
    page.get_by_label("Code of your app").fill("000000")
    page.keyboard.press("Enter")
    page.get_by_text("This code is not right").wait_for()
    page.get_by_label("Code of your app").fill(code)
    page.keyboard.press("Enter")
    page.wait_for_url("**/leads")

    press(window, "Sign out")
    page.wait_for_url("**/sign-in*")
    page.get_by_role("button", name="Sign in with a passkey").wait_for()
    check(window, "sign-in-passkey")
    press(window, "Sign in with a passkey")
    page.wait_for_url("**/leads")
    window.go("/account")
    press(window, "Take Telephone away")
    page.get_by_text("It is taken away").wait_for()


def test_the_pages_of_access_can_be_read_by_everybody(visit: Opener, site: Site) -> None:
    window = visit(site, Role.ADMIN)
    for path, heading in (
        ("/users", "Users"),
        ("/api-keys", "API keys"),
        ("/access", "Access"),
        ("/access/reads", "Who read what"),
        ("/prove?next=/users", "Is it you?"),
    ):
        assert window.go(path).status == 200
        assert window.page.get_by_role("heading", name=heading, exact=True).first.is_visible()
        check(window, path.strip("/").replace("/", "-").partition("?")[0], whole=True)
