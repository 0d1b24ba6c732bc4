"""Hosted forms in hostile hands: tokens forged, stolen and stale, traps filled in, bodies that no browser sends."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from leadmill.capture import HONEYPOT_FIELD
from leadmill.consent import stamp_page
from leadmill.runtime.vault import Vault, load_master
from tests.abuse.caller import Browser
from tests.abuse.running import Mill, lead
from tests.abuse.test_hostile_text import HOSTILE, seen

FORM = "/f/solar-quote"


def answers(browser: Browser, path: str = FORM, **more: str) -> dict[str, str]:
    """A good answer to the form, with the token of a page just served."""
    found = re.search(r'name="_stamp" value="([^"]+)"', browser.get(path).text)
    assert found is not None
    fields = lead()["fields"]
    names = ("zip", "state", "monthly_bill", "first_name", "last_name", "email", "phone")
    return {name: str(fields[name]) for name in names} | {"consent[granted]": "yes", "_stamp": found[1], **more}


@pytest.fixture
def browser(mill: Mill) -> Browser:
    return mill.browser()


@pytest.fixture
def no_lead(mill: Mill) -> Iterator[None]:
    """No lead came of it."""
    before = mill.newest()
    yield
    assert mill.newest() == before


def test_an_honest_answer_is_a_lead(mill: Mill, browser: Browser) -> None:
    before = mill.newest()
    reply = browser.submit(FORM, answers(browser))
    assert (reply.status, reply.headers["location"]) == (303, f"{FORM}/thanks")
    assert mill.newest() != before


def forged(stamp: str) -> dict[str, str]:
    """Tokens that this site has not served, by what is wrong with them."""
    form, version, seconds, seal = stamp.split("~")
    return {
        "none": "",
        "garbage": "x",
        "only signs": "~~~",
        "another form": f"second-quote~{version}~{seconds}~{seal}",
        "another version": f"{form}~{int(version) + 1 if version.isdigit() else version + '1'}~{seconds}~{seal}",
        "another time": f"{form}~{version}~{int(seconds) + 1}~{seal}",
        "far future": f"{form}~{version}~{'9' * 300}~{seal}",
        "no seal": f"{form}~{version}~{seconds}~",
        "another seal": f"{form}~{version}~{seconds}~{seal[::-1]}",
        "an odd seal": f"{form}~{version}~{seconds}~\u00e9",
        "odd digits": f"{form}~{version}~\u0663~{seal}",
        "ten thousand characters": stamp + "x" * 10_000,
    }


def test_a_forged_token_is_worth_nothing(mill: Mill, browser: Browser, no_lead: None) -> None:
    good = answers(browser)
    for name, stamp in forged(good["_stamp"]).items():
        reply = browser.submit(FORM, good | {"_stamp": stamp})
        assert reply.status == 200, name
        assert "send it again" in seen(reply.text), name
    del good["_stamp"]
    assert "send it again" in browser.submit(FORM, good).text


def test_a_token_of_another_form_or_of_last_week_is_worth_nothing(mill: Mill, browser: Browser, no_lead: None) -> None:
    other = answers(browser)
    stolen = re.search(r'name="_stamp" value="([^"]+)"', browser.get("/f/second-quote").text)
    assert stolen is not None
    assert "send it again" in browser.submit(FORM, other | {"_stamp": stolen[1]}).text
    vault = Vault(load_master(mill.home, {}))
    form, version, _, _ = other["_stamp"].split("~")
    page: Any = SimpleNamespace(id=form, version=version)
    for age in (timedelta(days=7), timedelta(days=-7), timedelta(days=20_000)):
        stale = stamp_page(vault.keyed_hash, page, datetime.now(UTC) - age)
        assert "send it again" in browser.submit(FORM, other | {"_stamp": stale}).text
    fresh = stamp_page(vault.keyed_hash, page, datetime.now(UTC))
    assert "send it again" not in browser.submit(FORM, other | {"_stamp": fresh, "first_name": ""}).text


def test_whoever_fills_in_the_trap_is_rejected_and_kept(mill: Mill, browser: Browser) -> None:
    assert browser.submit(FORM, answers(browser, **{HONEYPOT_FIELD: "555"})).status == 303
    [item] = mill.caller(mill.keys["operator"]).get("/v1/leads?limit=1").json["items"]
    assert (item["status"], item["reason"]) == ("rejected", "capture.form.honeypot")


def test_pressing_the_button_twenty_times_is_one_lead(mill: Mill, browser: Browser) -> None:
    before = mill.newest()
    fields = answers(browser)
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: mill.browser().submit(FORM, fields).status, range(20)))
    assert set(statuses) == {303}
    items = mill.caller(mill.keys["operator"]).get("/v1/leads?limit=25").json["items"]
    assert len([item for item in items if before is None or item["lead_id"] > before]) == 1


def test_what_the_form_does_not_ask_changes_neither_source_nor_vertical(mill: Mill, browser: Browser) -> None:
    more = {"vertical": "mortgage", "source": "gate", "source_id": "gate", "campaign": "mine", "favourite": "teal"}
    assert browser.submit(FORM, answers(browser, **more)).status == 303
    [item] = mill.caller(mill.keys["operator"]).get("/v1/leads?limit=1").json["items"]
    assert (item["vertical"], item["source"], item["channel"]) == ("solar", "own-site", "hosted")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_come_back_as_text(mill: Mill, browser: Browser, name: str) -> None:
    good = answers(browser)
    text = HOSTILE[name]
    reply = browser.submit(FORM, good | dict.fromkeys(("first_name", "email", "zip", "state", "monthly_bill"), text))
    assert reply.status == 422
    seen(reply.text)
    reply = browser.submit(FORM, {**good, text: text, "email": text, f"consent[{text}]": text})
    assert reply.status in (200, 303, 400, 422)
    seen(reply.text)


BROKEN: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 200),
    "five thousand fields": (b"a=1&" * 5000, 400),
    "bytes of no encoding": (b"_stamp=%ff%fe&first_name=\xff", 200),
    "JSON": (b'{"_stamp": 1}', 200),
    "two mebibytes": (b"first_name=" + b"x" * (2 << 20), 413),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_body_that_no_browser_sends_makes_no_lead(mill: Mill, browser: Browser, no_lead: None, name: str) -> None:
    body, status = BROKEN[name]
    reply = browser.submit(FORM, body)
    assert reply.status == status
    seen(reply.text)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (b"&first_name=%00", 422),
        (b"&first_name=%ff", 422),
        (b"&fields[x]=1&fields=2", 422),
        (b"&" + b"&".join(b"x%d=1" % number for number in range(480)), 303),
        (b"&first_name=" + b"x" * 20_000, 422),
        (b"&_charset_=klingon", 422),
    ],
)
def test_odd_bytes_beside_a_good_token_are_pointed_out(mill: Mill, browser: Browser, more: bytes, status: int) -> None:
    body = "&".join(f"{name}={value}" for name, value in answers(browser).items()).encode() + more
    reply = browser.submit(FORM, body)
    assert reply.status == status, reply.text
    seen(reply.text)


def test_other_ways_to_call_a_form_are_refused(mill: Mill, browser: Browser, no_lead: None) -> None:
    for verb in ("PUT", "DELETE", "PATCH"):
        assert browser.send(verb, FORM).status == 405
    for path in ("/f/nobody", "/f/", "/f/solar-quote/x", "/f/SOLAR-QUOTE", "/f/solar-quote%20", "/f/nobody/thanks"):
        assert browser.get(path).status == 404
        assert browser.submit(path, {"first_name": "x"}).status in (404, 405)
    for kind in ("multipart/form-data; boundary=x", "text/plain", "application/json"):
        reply = browser.post(FORM, b"--x\r\n\r\n--x--", content_type=kind)
        assert reply.status in (200, 400, 415)
        seen(reply.text)
