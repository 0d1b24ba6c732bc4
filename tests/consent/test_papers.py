"""The certificate as a file: as it was made it holds, changed it is refused and says where. The independent script
says the same of every file."""

import html
import importlib.util
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from leadmill.consent import (
    Flaw,
    Journaled,
    More,
    Recording,
    canonical,
    certify,
    contact_hash,
    core_of,
    digest_of,
    flaws_of,
    is_contact,
    key_of,
    more_of,
    sealed_page,
    snapshot_attribute,
    take_apart,
)
from leadmill.consent.recording import put_together
from leadmill.consent.seen import holds
from leadmill.core.faults import BadInput
from leadmill.interfaces.cli import certificate
from tests.capture.leads import NOW
from tests.consent.seeing import DOCUMENT, SESSION, answer, learned

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()


def script() -> Any:
    """The independent script, as a module."""
    path = Path(__file__).resolve().parents[2] / "docs" / "verify_certificate.py"
    spec = importlib.util.spec_from_file_location("verify_certificate", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def paper() -> str:
    """A file with everything in it."""
    found = answer()
    lead, proof, seen, _ = learned(found)
    core = certify(lead, found, proof, seen, SESSION)
    put = put_together([])
    more = More(
        made_at=NOW + timedelta(days=400),
        house="https://leads.example",
        revision=3,
        packs="ab" * 32,
        journal=Journaled(1, "cd" * 32, NOW, digest_of(core)),
        recording=Recording(put.digest.hex(), put.count, put.seconds),
        contacts={"phone": contact_hash("415-555-0123", "phone", bytes(16))},
    )
    page = (
        "<!doctype html><p>Consent &amp; more</p>"
        f'<iframe id="snapshot" sandbox="" title="The page" srcdoc="{snapshot_attribute(DOCUMENT)}"></iframe>'
        f'<script type="application/json" id="core">{canonical(core).decode()}</script>'
        f'<script type="application/json" id="more">{canonical(more).decode()}</script>'
        f'<script type="application/json" id="replay">{put.events.decode()}</script>'
        '<script type="application/json" id="seal"></script>'
    )
    return sealed_page(page, KEY)


def test_a_file_as_it_was_made_holds_and_says_what_it_is(paper: str) -> None:
    found = take_apart(paper)
    assert flaws_of(found) == flaws_of(found, PUBLIC) == [] and key_of(found) == PUBLIC
    assert core_of(found).sight == "seen" and more_of(found).house == "https://leads.example"
    assert html.unescape(found.parts["snapshot"]) == DOCUMENT
    assert script().check(paper, PUBLIC, {"phone": "+1 (415) 555-0123"}) == []


@pytest.mark.parametrize(
    ("was", "now", "part"),
    [
        ('"kind":"written"', '"kind":"spoken"', "core"),
        ('"contrast":16.9', '"contrast":7.1', "core"),
        ("2027-12-27", "2026-12-27", "more"),
        ("&lt;input name=", "&lt;input checked name=", "snapshot"),
        ('id="replay">[', 'id="replay">[1', "replay"),
        ("Consent &amp; more", "Consent", "page"),
        ('"signature":"', '"signature":"A', "seal"),
        ("leadmill.consent/1", "leadmill.consent/2", "core"),
    ],
)
def test_a_changed_file_is_refused_and_says_where(paper: str, was: str, now: str, part: str) -> None:
    assert was in paper
    changed = paper.replace(was, now, 1)
    assert part in {flaw.part for flaw in flaws_of(take_apart(changed))}
    assert any(fault.startswith(f"{part}:") for fault in script().check(changed, "", {}))


def test_a_part_taken_out_or_put_in_is_named(paper: str) -> None:
    without = paper.replace('<script type="application/json" id="replay">[]</script>', "", 1)
    assert without != paper and Flaw("replay", "it was taken out") in flaws_of(take_apart(without))
    twice = paper + '<script type="application/json" id="core">{}</script>'
    with pytest.raises(BadInput, match="twice"):
        take_apart(twice)
    assert script().check(without, "", {}) and script().check(twice, "", {})


def test_a_changed_file_that_somebody_else_signs_again_has_another_key(paper: str) -> None:
    bare = paper.rpartition('id="seal">')[0] + 'id="seal"></script>'
    forged = sealed_page(bare.replace("Consent &amp; more", "Consent", 1), OTHER)
    assert flaws_of(take_apart(forged)) == [], "by itself it holds: hence the key"
    (flaw,) = flaws_of(take_apart(forged), PUBLIC)
    assert flaw.part == "seal" and "another key" in flaw.says
    assert "another key" in script().check(forged, PUBLIC, {})[0]


def test_parts_that_do_not_belong_together_are_told_apart_though_signed(paper: str) -> None:
    bare = paper.rpartition('id="seal">')[0] + 'id="seal"></script>'
    swapped = sealed_page(bare.replace("&lt;input name=", "&lt;input checked name=", 1), KEY)
    assert [flaw.part for flaw in flaws_of(take_apart(swapped), PUBLIC)] == ["snapshot"]
    assert script().check(swapped, PUBLIC, {}) == ["snapshot: it is not the one that the core names"]


@pytest.mark.parametrize("text", ["", "<html></html>", '<script type="application/json" id="seal">{}</script>'])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        flaws_of(take_apart(text))
    assert script().check(text, "", {})


def test_a_certificate_says_whether_it_is_about_a_number_and_gives_none_away(paper: str) -> None:
    held = more_of(take_apart(paper)).contacts["phone"]
    assert is_contact("+1 415 555 0123", "phone", held) and not is_contact("415-555-0124", "phone", held)
    assert not holds(paper, {"phone": "4155550123", "email": "ana.lopez@example.com"})
    assert script().check(paper, "", {"phone": "415-555-0124"}) == ["more: it is not about this phone"]
    assert script().check(paper, "", {"email": "ana.lopez@example.com"}) == ["more: it is not about this email"]


def test_the_command_says_whether_a_file_holds_and_where_it_does_not(paper: str, tmp_path: Path) -> None:
    app = typer.Typer()

    def never(_: Any) -> Any:
        raise AssertionError("checking a file opens no database")

    certificate.add_to(app, never)
    good, bad, none = tmp_path / "good.html", tmp_path / "bad.html", tmp_path / "none.html"
    good.write_text(paper)
    bad.write_text(paper.replace("&lt;input name=", "&lt;input checked name=", 1))
    none.write_text("<p>Hello</p>")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["certificate", "verify", *arguments, "--home", str(tmp_path)])

    assert run(str(good), "--key", PUBLIC, "--phone", "415 555 0123").exit_code == 0
    told = json.loads(run(str(bad), "--json").output)
    assert told["holds"] is False and [flaw["part"] for flaw in told["flaws"]] == ["snapshot"]
    assert run(str(good), "--key", "00" * 32).exit_code == 1
    assert run(str(good), "--phone", "415 555 0124").exit_code == 1
    assert run(str(none)).exit_code == 2
