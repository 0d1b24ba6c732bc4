"""What pages may weigh: counted in bytes and requests, which do not depend on how busy the machine is."""

import gzip

import pytest

from leadmill.interfaces.pages import STATIC
from leadmill.parties import Role
from tests.browser.conftest import Opener
from tests.browser.site import Site

KIB = 1024


def weight(name: str) -> int:
    """The gzipped size of a built file."""
    found = STATIC / name
    if not found.exists():
        pytest.skip("the web assets are not built: make setup")
    return len(gzip.compress(found.read_bytes(), 9))


def test_the_consoles_script_stays_within_fifteen_kib() -> None:
    assert weight("console.js") <= 15 * KIB


def test_style_sheets_stay_small() -> None:
    assert weight("console.css") <= 8 * KIB
    assert weight("public.css") <= 4 * KIB


def test_what_is_loaded_on_demand_stays_small() -> None:
    chunks = [path for path in STATIC.glob("*-*.js") if not path.name.startswith("recorder-")]
    assert chunks and all(weight(path.name) <= 3.5 * KIB for path in chunks)


def test_recorder_and_player_are_loaded_by_whoever_needs_them_alone() -> None:
    (recorder,) = STATIC.glob("recorder-*.js")
    assert weight(recorder.name) <= 28 * KIB
    assert weight("replay.js") <= 70 * KIB and weight("replay.css") <= 3 * KIB


def test_a_page_asks_for_no_more_than_it_shows(visit: Opener, site: Site) -> None:
    window = visit(site, Role.OPERATOR)
    asked: list[str] = []
    window.go("/users")  # ends the list's stream
    window.page.on("request", lambda request: asked.append(request.url.removeprefix(site.url)))
    window.go("/orders")
    names = {path.partition("?")[0] for path in asked}
    assert names <= {"/orders", "/static/console.css", "/static/console.js", "/static/inter.woff2", "/static/icon.svg"}


def test_a_public_form_loads_two_small_scripts(visit: Opener, site: Site) -> None:
    window = visit(site)
    kinds: list[str] = []
    window.page.on("request", lambda request: kinds.append(request.resource_type))
    with window.page.expect_request_finished(lambda request: "witness" in request.url):  # the first one asks for it
        window.go("/f/solar-quote")
    # How it was filled in, and how it was seen.
    assert kinds.count("script") == 2 and len(kinds) <= 6
    assert weight("form.js") <= KIB
