"""Files sent to the console by those who may not: answered before the file comes, and nothing of it stays."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from leadmill.parties import Role
from tests.abuse.caller import Browser, read_reply
from tests.abuse.running import Mill, until
from tests.abuse.test_files import row, table
from tests.answers import Reply

SIGN = "----the-end-of-a-part"
ANNOUNCED = 200 << 20
PATIENCE = 30.0
"""Seconds within which a refusal must come; the rest of the body never does."""


@contextmanager
def begun(browser: Browser, first: bytes, **headers: str) -> Iterator[socket.socket]:
    """A connection on which an upload of 200 MiB was announced and begun."""
    kind = f"multipart/form-data; boundary={SIGN}"
    length = {"content-length": str(ANNOUNCED), "content-type": kind, "connection": None, **headers}
    with socket.create_connection((browser.host, browser.port), timeout=PATIENCE) as line:
        line.sendall(browser.head("POST", "/imports", length) + first)
        yield line


def part(name: str, value: str) -> bytes:
    """A field of the form."""
    return f'--{SIGN}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


FILE = f'--{SIGN}\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\nemail\n'.encode()


def refused(browser: Browser, first: bytes, **headers: str) -> Reply:
    """The answer to an upload of which only ``first`` is ever sent; the server hangs up after it."""
    with begun(browser, first, **headers) as line:
        reply = read_reply(line)
        assert reply is not None, "no answer before the whole file came"
        assert reply.headers["connection"] == "close"
        with suppress(ConnectionResetError):
            assert line.recv(1) == b"", "the connection stays open for the rest"
    return reply


@pytest.fixture(scope="module")
def operator(mill: Mill) -> Browser:
    return mill.signed_in(Role.OPERATOR)


def test_a_stranger_is_sent_to_sign_in_before_the_file_comes(mill: Mill) -> None:
    reply = refused(mill.browser(), FILE)
    assert (reply.status, reply.headers["location"]) == (303, "/sign-in")
    assert refused(mill.browser(), b"").status == 303


def test_a_role_that_may_not_import_is_told_so_before_the_file_comes(mill: Mill) -> None:
    analyst = mill.signed_in(Role.ANALYST)
    reply = refused(analyst, part("_csrf", analyst.secret()) + FILE)
    assert reply.status == 403 and "console.right.missing" in reply.text


@pytest.mark.parametrize(
    "first",
    [
        part("_csrf", "x" * 43) + FILE,
        part("source", "gate") + FILE,
        FILE + b"a@example.com\n" * 1000,
        part("_csrf", "x" * 5000),
        b"\r\n" * 3000,
    ],
    ids=["a wrong secret", "another field first", "the file first", "an endless secret", "no form at all"],
)
def test_a_form_that_does_not_begin_with_the_secret_is_refused_before_the_file_comes(
    operator: Browser, first: bytes
) -> None:
    reply = refused(operator, first)
    assert reply.status == 403 and "console.form.stale" in reply.text


def test_a_form_of_another_site_is_refused_before_the_file_comes(operator: Browser) -> None:
    reply = refused(operator, part("_csrf", operator.secret()) + FILE, sec_fetch_site="cross-site")
    assert reply.status == 403 and "console.form.foreign" in reply.text


def test_a_file_that_is_announced_as_too_large_is_refused_before_it_comes(operator: Browser) -> None:
    assert refused(operator, b"", content_length=str(300 << 20)).status == 413


def test_a_file_that_stops_half_way_leaves_nothing(mill: Mill, operator: Browser) -> None:
    before = operator.get("/imports").text.count('href="/imports/imp_')
    with begun(operator, part("_csrf", operator.secret()) + FILE + b"a@example.com\n" * 5000):
        pass
    assert operator.get("/imports").text.count('href="/imports/imp_') == before
    assert not list((mill.home / "uploads").glob("*"))


def test_one_file_sent_many_times_at_once_leaves_no_copy(mill: Mill, operator: Browser) -> None:
    data = table([row() for _ in range(300)]).encode()
    fields = {"_csrf": operator.secret(), "source": "gate", "vertical": "solar"}
    replies: list[Reply] = []

    def send() -> None:
        replies.append(operator.upload("/imports", fields, "crowd.csv", data))

    senders = [threading.Thread(target=send) for _ in range(6)]
    for each in senders:
        each.start()
    for each in senders:
        each.join()
    assert [reply.status for reply in replies] == [303] * 6
    (path,) = {reply.headers["location"].partition("?")[0] for reply in replies}
    until(lambda: ">running<" not in operator.get(path).text.lower(), "the import")
    until(lambda: not list((mill.home / "uploads").glob("*")), "every copy to be gone")
    assert "<dt>Rows read</dt><dd>300</dd>" in operator.get(path).text
