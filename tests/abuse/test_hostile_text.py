"""Hostile text in the fields of a lead: it is kept as it came, and is only text wherever it is shown or written."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import pytest

from leadmill.interfaces.visible import escaped, visible
from leadmill.parties import Role
from tests.abuse.caller import Browser
from tests.abuse.running import CONSENT, SELLERS, Mill, lead, until

HOSTILE = {
    "sql": "Robert'); DROP TABLE lead;--",
    "script": "<script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)>",
    "attribute": "\" onmouseover=\"alert(4)\" style='x' autofocus onfocus=alert(5) '",
    "link": "javascript:alert(6)//https://example.com",
    "comment": "--><!-- </textarea></title></style></select> ]]> <evil/>&xxe;&lt;b&gt;",
    "template": "{{ 7*7 }}${7*7}#{7*7}<%= 7*7 %>{% raw %}%(x)s{0}{lead_id}",
    "formula": "=cmd|' /C calc'!A0",
    "plus formula": "+1+cmd|' /C calc'!A0",
    "minus formula": "-2+3+cmd|' /C calc'!A0",
    "at formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "path": "../../../../etc/passwd",
    "header": "x\r\nSet-Cookie: evil=1\r\n\r\n<h1>split</h1>",
    "right to left": "invoice\u202egnp.exe \u2066and\u2069 back",
    "zero width": "he\u200bli\ufeffo \u00adLLC",
    "eight-bit escape": "x\u009b2Jy\u0085z",
    "many marks": "Z" + "\u0301" * 90,
    "far planes": "𝕳𝖊𝖑𝖎𝖔 💩 \U0010ffff \ufffe",
    "null word": "null",
    "csv": 'a,b;c\t"d""e"\r\nf',
}
PLACES = ("first_name", "last_name", "address", "city")
UNSEEN = re.compile("[\u0080-\u009f\u00ad\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""What a reader would not see, or would see elsewhere than it stands."""


class Watcher(HTMLParser):
    """Reads a page as a browser does: what it would run, and what it would show."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []
        self.shows: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (tag == "script" and not (given.get("src") or "").startswith("/static/")) or tag in ("evil", "h1x"):
            self.runs.append(tag)
        if tag == "img" or (tag == "style") or (tag == "svg" and "onload" in given):
            self.runs.append(tag)
        for name, value in attrs:
            leads = name in ("href", "src", "action", "formaction", "hx-get", "hx-post")
            strange = leads and not (value or "").startswith(("/", "#", "https://github.com/"))
            if name.startswith("on") or name == "style" or strange:
                self.runs.append(f"{tag} {name}={value}")
        self.shows += [value for name, value in attrs if value and name in ("value", "title", "aria-label")]

    def handle_data(self, data: str) -> None:
        self.shows.append(data)


def seen(html: str) -> str:
    """What a page shows, once it is sure that it runs nothing of a stranger's."""
    watcher = Watcher()
    watcher.feed(html)
    assert not watcher.runs, watcher.runs
    return "".join(watcher.shows)


@pytest.fixture(scope="module")
def taken(mill: Mill) -> dict[str, dict[str, Any]]:
    """A lead for each hostile string, with it in every free field and around them; as answered by the intake."""
    found = {}
    for name, text in HOSTILE.items():
        body = lead(**dict.fromkeys(PLACES, text))
        body["consent"] = CONSENT | {"text": f"{CONSENT['text']} {text}", "url": text, "sellers": [*SELLERS, text]}
        body["context"] |= {"user_agent": text, "landing_page": text, "sub1": text, "utm_source": text}
        body |= {"free note": text, f"key {text}": "value"}
        reply = mill.caller().post("/v1/leads", body, user_agent="<script>", referer="javascript:alert(7)")
        assert reply.status == 201, (name, reply.text)
        found[name] = reply.json | {"sent": body}
    return found


@pytest.fixture(scope="module")
def admin(mill: Mill) -> Browser:
    return mill.signed_in(Role.ADMIN)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_only_text_on_every_page_of_a_lead(
    taken: dict[str, dict[str, Any]], admin: Browser, name: str
) -> None:
    lead_id, text = taken[name]["lead_id"], HOSTILE[name]
    for path in (f"/leads/{lead_id}", f"/leads/{lead_id}/drawer"):
        for tab in ("why", "deliveries", "consent", "events", "raw"):
            reply = admin.get(f"{path}?tab={tab}")
            assert reply.status == 200
            assert not [
                value for key, value in reply.all_headers if "evil" in value and key != "content-security-policy"
            ]
            shown = seen(reply.text)
            assert not UNSEEN.search(reply.text), f"{tab} shows what cannot be seen"
            first = text.strip().split("\r")[0]
            if not UNSEEN.search(text):
                assert first in shown, (tab, first)


def test_hostile_text_is_only_text_in_lists_and_searches(taken: dict[str, dict[str, Any]], admin: Browser) -> None:
    secret = admin.secret()
    for path in (
        "/leads",
        "/review",
        "/nurture",
        "/deliveries",
        "/orders",
        "/sources",
        "/buyers",
        "/imports",
        "/users",
    ):
        seen(admin.get(path).text)
    for text in HOSTILE.values():
        reply = admin.submit("/leads/search", {"_csrf": secret, "q": text})
        assert reply.status in (200, 303)
        seen(reply.text)
        assert "evil" not in json.dumps(reply.all_headers)


def test_hostile_text_in_an_address_is_only_text(mill: Mill, admin: Browser) -> None:
    script = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    for text in (script, "%27%20onmouseover=alert(1)", "javascript:alert(1)", "%0d%0aX:%20y"):
        paths = [
            "/leads?vertical=",
            "/leads?unclear=",
            "/leads?done=",
            "/deliveries?recipient=",
            "/leads/",
            "/nothing/",
        ]
        paths += ["/problems/", "/sign-in?next=", "/f/", "/f/solar-quote?zip=0&state=x&first_name="]
        for path in (each + text for each in paths):
            for caller in (admin, mill.browser()):
                reply = caller.get(path)
                assert "x" not in reply.headers
                seen(reply.text)


def test_the_api_gives_hostile_text_back_as_it_came(mill: Mill, taken: dict[str, dict[str, Any]]) -> None:
    reader = mill.caller(mill.keys["operator"])
    for name, told in taken.items():
        found = reader.get(f"/v1/leads/{told['lead_id']}")
        assert found.headers["content-type"] == "application/json"
        for place in PLACES:
            assert found.json["fields"][place] == HOSTILE[name].strip(), name


@pytest.fixture(scope="module")
def dropped(mill: Mill, taken: dict[str, dict[str, Any]]) -> Any:
    """The files that the buyers got, by hostile string and ending."""
    folder = mill.home / "drop"
    endings = {"csv": "cella", "xml": "xenia", "json": "jason", "txt": "forma"}
    sold = {name: told["lead_id"] for name, told in taken.items() if told["status"] == "sold"}
    assert len(sold) >= len(HOSTILE) - 1, {name: told for name, told in taken.items() if told["status"] != "sold"}

    def collected() -> dict[str, dict[str, bytes]] | None:
        found: dict[str, dict[str, bytes]] = {}
        for name, lead_id in sold.items():
            for ending, buyer in endings.items():
                path = folder / buyer / f"{lead_id}.{ending}"
                if not path.exists():
                    return None
                found.setdefault(name, {})[ending] = path.read_bytes()
        return found

    return until(collected, "the buyers' files")


def test_hostile_text_leaves_no_file_outside_the_drop_folder(mill: Mill, dropped: dict[str, dict[str, bytes]]) -> None:
    known = {"cella", "xenia", "jason", "forma"}
    assert {path.name for path in (mill.home / "drop").iterdir()} == known
    for path in (mill.home / "drop").rglob("*"):
        assert path.is_dir() or re.fullmatch(r"lead_[0-9a-z]{26}\.(csv|xml|json|txt)", path.name), path
    assert not [path for path in Path(mill.home).iterdir() if path.name.startswith("..")]


def test_no_cell_of_a_buyers_file_is_run_by_a_spreadsheet(dropped: dict[str, dict[str, bytes]]) -> None:
    for name, files in dropped.items():
        header, cells = csv.reader(io.StringIO(files["csv"].decode(), newline=""))
        row = dict(zip(header, cells, strict=True))
        for cell in (*header, *cells):
            assert not re.match(r"[=@\t\r]|[+-](?![\d ().-]*\Z)", cell), (name, cell)
        assert row["first_name"].removeprefix("'") == HOSTILE[name].strip()


def test_hostile_text_arrives_whole_in_json_xml_and_forms(dropped: dict[str, dict[str, bytes]]) -> None:
    for name, files in dropped.items():
        text = HOSTILE[name].strip()
        assert json.loads(files["json"])["fields"]["first_name"] == text
        assert parse_qs(files["txt"].decode(), keep_blank_values=True)["first_name"] == [text]
        root = ET.fromstring(files["xml"])
        assert len(list(root.iter("evil"))) == 0
        got = (root.findtext("fields/first_name") or "").split()
        assert got == re.sub("[\ufffe\uffff]", "", text).split(), name


def test_a_story_on_the_terminal_moves_no_cursor(mill: Mill, taken: dict[str, dict[str, Any]]) -> None:
    done = mill.run("explain", taken["eight-bit escape"]["lead_id"])
    assert done.returncode == 0, done.stderr
    assert "[U+009B]" in done.stdout
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.stdout), ascii(done.stdout)


def test_what_is_unseen_is_named_and_what_languages_need_stays() -> None:
    assert visible("a\u202eb\u200bc\x1bd\u2066e") == "a[U+202E]b[U+200B]c[U+001B]d[U+2066]e"
    plain = "Zoë 李 می\u200cخواهم 👩\u200d🌾\t\n"
    assert visible(plain) == plain
    document = json.dumps({"a": "x\x9b\u202e\U000e0041"}, ensure_ascii=False)
    assert json.loads(escaped(document)) == json.loads(document)
    assert escaped(document).isascii()
