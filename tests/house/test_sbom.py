"""The bill of materials names every pinned part, and the audit asks about each of them."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from scripts import audit
from scripts.sbom import bill
from tests.house.sources import ROOT


def test_every_pinned_part_is_on_the_bill_with_its_hashes() -> None:
    made = bill()
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    refs = [part["bom-ref"] for part in made["components"]]
    assert len(refs) == len(set(refs))
    parts = {(part["name"], part["version"]): part for part in made["components"]}
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-node.lock"):
        for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / lock).read_text(), re.MULTILINE):
            assert parts[name.lower().replace("_", "-"), version]["hashes"], name
    web = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    for place, entry in web.items():
        if place:
            assert parts[place.rpartition("node_modules/")[2], entry["version"]]["hashes"], place
    assert {part["scope"] for part in made["components"]} >= {"required", "excluded"}
    assert bill() == made


class Advisories(BaseHTTPRequestHandler):
    """A database that knows of one weakness."""

    def do_POST(self) -> None:
        """One batch."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        results = [
            {"vulns": [{"id": "TEST-1"}]} if "pkg:pypi/msgspec@" in one["package"]["purl"] else {} for one in asked
        ]
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def test_the_audit_tells_what_is_known_and_says_plainly_when_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = HTTPServer(("127.0.0.1", 0), Advisories)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        monkeypatch.setattr("sys.argv", ["audit", "--database", f"http://127.0.0.1:{server.server_port}/"])
        assert audit.main() == 1
        assert re.search(r"pkg:pypi/msgspec@\S+ \(required\): TEST-1", capsys.readouterr().out)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    monkeypatch.setattr("sys.argv", ["audit", "--database", f"http://127.0.0.1:{server.server_port}/"])
    assert audit.main() == 0
    assert "NOT CHECKED" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["audit", "--strict", "--database", f"http://127.0.0.1:{server.server_port}/"])
    assert audit.main() == 3
