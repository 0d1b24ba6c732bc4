"""Fixtures of the browser tests: a running site with a business and traffic behind it, an empty one, and a browser.

The browser is Debian's Chromium; where there is none the tests are skipped and say so. Nothing but the site is
reachable from it, and a script error fails the test. Screenshots go to ``screenshots/`` (ignored by git) where the
tests run in one process (``-n 0``): they take a third of the time, and of a whole run nobody looks at them. With
LEADMILL_PICTURES set to a folder, the pictures of the documentation are written there.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leadmill.parties import Role
from leadmill.runtime.cluster import Cluster
from tests.browser.site import Site, running_site
from tests.interfaces.stage import PASSWORD, PEOPLE

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
"""A person's browser: the headless one names itself, and what names itself a program is rejected as one."""

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser no site is started for it."""
    if chromium_path() is None:
        skipped = pytest.mark.skip(reason="no Chromium here: apt-get install chromium, or set CHROMIUM to its path")
        for item in items:
            if "tests/browser" in item.nodeid:
                item.add_marker(skipped)


def chromium_path() -> str | None:
    """Where Debian's Chromium is, None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser(server: Cluster) -> Iterator[Any]:
    """Chromium, started once a module: while it runs it keeps an event loop in this thread, which no coroutine test
    and no start of the store would survive; hence also the store first."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")
    with playwright.sync_playwright() as running:
        found = running.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield found
        found.close()


def _database(server: Cluster, name: str) -> str:
    server.run_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.run_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    return server.url(name)


@pytest.fixture(scope="session")
def site(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a business and traffic behind it, deliveries made."""
    url = _database(server, f"site_{os.getpid()}")
    with running_site(url, tmp_path_factory.mktemp("site"), traffic=True) as found:
        yield found


@pytest.fixture(scope="session")
def bare_site(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where nothing has happened yet: people who may sign in, and nothing else."""
    url = _database(server, f"bare_{os.getpid()}")
    with running_site(url, tmp_path_factory.mktemp("bare"), traffic=False) as found:
        yield found


class Visitor:
    """A browser window on a site."""

    def __init__(self, page: Any, site: Site, scheme: str, twin: bool = False) -> None:
        self.page = page
        self.site = site
        self.scheme = scheme
        self.colours_alone = twin and scheme == "dark"
        """The same pages are gone through in the light, where everything is looked at; here it is their colours."""

    def go(self, path: str) -> Any:
        """Open a page of the site."""
        return self.page.goto(self.site.url + path, wait_until="load")

    def sign_in(self, role: Role) -> None:
        """Sign in through the form."""
        self.go("/sign-in")
        self.page.get_by_label("E-mail").fill(PEOPLE[role][0])
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url("**/leads")
        self.page.locator("#list").wait_for()

    def shoot(self, name: str, whole: bool = False) -> None:
        """Keep a picture of the page, where somebody looks. Chromium on a busy machine now and then has none to give;
        it is asked again."""
        if "PYTEST_XDIST_WORKER" in os.environ:
            return
        SHOTS.mkdir(exist_ok=True)
        for attempt in range(3):
            try:
                self.page.screenshot(path=SHOTS / f"{name}-{self.scheme}.png", full_page=whole)
            except Exception as fault:  # playwright may not be there to name its own
                if attempt == 2 or "Unable to capture screenshot" not in str(fault):
                    raise
                self.page.wait_for_timeout(1_000)
            else:
                return

    def picture(self, name: str) -> None:
        """Keep a picture for the documentation in both looks, where they are wanted."""
        folder = os.environ.get("LEADMILL_PICTURES")
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        for scheme, ending in (("light", ""), ("dark", "-dark")):
            self.page.emulate_media(color_scheme=scheme)
            path = Path(folder) / f"{name}{ending}.png"
            self.page.screenshot(path=path)
            # Few colours are in it; as a palette it is a third of the size.
            Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
        self.page.emulate_media(color_scheme=self.scheme)


Opener = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Any) -> Iterator[Opener]:
    """Opens windows: ``visit(site, role=…, scheme="dark", scripts=False)``; ``twin`` says that the test is run in both
    looks. A script error fails the test."""
    contexts: list[Any] = []
    errors: list[str] = []

    def open_window(
        site: Site,
        role: Role | None = None,
        scheme: str = "light",
        scripts: bool = True,
        width: int = 1440,
        twin: bool = False,
    ) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            timezone_id="America/Los_Angeles",
            locale="en-US",
            user_agent=AGENT,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(15_000)
        context.route(
            "**/*",
            lambda route: route.continue_() if route.request.url.startswith(site.url) else route.abort(),
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda fault: errors.append(str(fault)))
        page.on(
            "console",
            lambda said: (
                errors.append(said.text)
                if said.type == "error" and ("Content Security Policy" in said.text or "Uncaught" in said.text)
                else None
            ),
        )
        visitor = Visitor(page, site, scheme, twin)
        if role is not None:
            visitor.sign_in(role)
        return visitor

    yield open_window
    for context in contexts:
        context.close()
    assert not errors, errors
