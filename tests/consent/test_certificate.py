"""The certificate of consent: what it says, what it admits not to know, and that it names nobody."""

import hashlib
import json
from typing import Any

import msgspec
import pytest

from leadmill.consent import canonical, certify, digest_of, open_witness, page_evidence
from leadmill.consent.certificate import (
    CLAIMED,
    HIDDEN,
    LEAKS,
    NO_SCRIPT,
    NO_SNAPSHOT,
    NO_TEXT_SEEN,
    OTHER_TEXT,
    TICKED_BEFORE,
)
from leadmill.consent.rules import NOT_TICKED
from leadmill.consent.seen import TOO_LONG, UNREADABLE, plain_address
from tests.capture.leads import GOOD, submission
from tests.consent.seeing import AGENT, ANSWERS, DOCUMENT, SESSION, TEXT, answer, learned, told


def core_of(found: Any, secret: str = SESSION) -> Any:
    lead, proof, seen, _ = learned(found)
    return certify(lead, found, proof, seen, secret)


def test_a_page_that_told_how_it_looked_was_seen() -> None:
    core = core_of(answer())
    assert (core.sight, core.unseen, core.doubts) == ("seen", [], [])
    assert core.disclosure.text == TEXT and core.disclosure.channels == ["call", "text"]
    assert core.seen is not None and core.seen.shown is not None and core.seen.shown.contrast == 16.9
    assert core.snapshot_sha256 == hashlib.sha256(DOCUMENT.encode()).hexdigest()
    assert core.page.url == "https://leads.example/f/quote" and core.seen.url.endswith("?utm_source=mail")
    assert core.page.form == "quote" and core.person.names == ["email", "first_name", "phone", "zip"]


@pytest.mark.parametrize(
    ("script", "unseen", "doubts"),
    [
        (None, [NO_SCRIPT, NO_SNAPSHOT], []),
        ("", [NO_SCRIPT, NO_SNAPSHOT], []),
        ("{", [NO_SCRIPT, NO_SNAPSHOT], [UNREADABLE]),
        ('{"seen": {"sent_ms": "soon"}}', [NO_SCRIPT, NO_SNAPSHOT], [UNREADABLE]),
        ('{"seen": {}, "more": 1}', [NO_SCRIPT, NO_SNAPSHOT], [UNREADABLE]),
        ("x" * 400_001, [NO_SCRIPT, NO_SNAPSHOT], [TOO_LONG]),
        (json.dumps({"seen": told() | {"shown": None}}), [NO_TEXT_SEEN, NO_SNAPSHOT], [OTHER_TEXT]),
    ],
    ids=["no script", "empty", "no JSON", "wrong types", "unknown fields", "too long", "no text on the page"],
)
def test_what_nobody_saw_is_said(script: str | None, unseen: list[str], doubts: list[str]) -> None:
    core = core_of(answer(script))
    assert (core.unseen, core.doubts) == (unseen, doubts)
    assert core.disclosure.text == TEXT, "the published text is known all the same"


@pytest.mark.parametrize(
    ("more", "doubt"),
    [
        ({"shown": {"text": "I agree to everything."}}, OTHER_TEXT),
        ({"shown": {"sellers": "Companies: Helio Solar LLC."}}, OTHER_TEXT),
        ({"shown": {"hidden": True}}, HIDDEN),
        ({"control": {"kind": "checkbox", "default": "checked", "state": "checked"}}, TICKED_BEFORE),
        ({"document": DOCUMENT.replace("<input", "Hello ana.lopez@example.com <input")}, LEAKS),
        ({"document": DOCUMENT.replace("<input", "4155550123 <input")}, LEAKS),
        ({"answers": {"consent[granted]": ""}}, NOT_TICKED),
    ],
    ids=["another text", "a company less", "hidden", "ticked before", "an address", "a number", "not ticked"],
)
def test_what_speaks_against_it_is_said(more: dict[str, Any], doubt: str) -> None:
    core = core_of(answer(**more))
    assert core.doubts == [doubt]
    assert (core.snapshot_sha256 == "") is (doubt == LEAKS)


def test_white_space_is_no_other_text() -> None:
    assert core_of(answer(shown={"text": "  " + TEXT.replace(" ", "\n  ")})).doubts == []


def test_what_a_source_hands_over_is_claimed_and_learned_without_a_digest() -> None:
    handed = submission(GOOD | {"consent": {"text": TEXT, "trustedform": "https://cert.example/1"}})
    lead, proof, seen, certified = learned(handed)
    assert seen is None and certified is None
    core = certify(lead, handed, proof, seen, "a secret of the house")
    assert (core.sight, core.unseen) == ("claimed", [CLAIMED])
    assert core.vendors == {"trustedform": "https://cert.example/1"} and core.seen is None


def test_the_core_names_nobody() -> None:
    text = canonical(core_of(answer())).decode()
    for value in (*ANSWERS.values(), "4155550123", AGENT, "203.0.113.9", SESSION):
        assert value in ("yes", "Ana", "94110") or value not in text, value
    assert "first_name=Ana" not in text and "email=ana" not in text
    assert "<" not in text, "it can stand in a page as it is"


def test_the_steps_digest_is_the_cores_and_turns_on_everything_in_it() -> None:
    found = answer()
    _, _, _, certified = learned(found)
    core = core_of(found)
    assert certified is not None and certified.digest == digest_of(core) and certified.sight == "seen"
    others = [
        core_of(found, "another secret"),
        core_of(answer(shown={"contrast": 4.4})),
        core_of(answer(document=DOCUMENT + " ")),
        core_of(answer(answers={"zip": "94601"})),
        core_of(msgspec.structs.replace(found, remote_ip="203.0.113.10")),
    ]
    assert len({digest_of(each) for each in (core, *others)}) == 6


def test_policy_is_told_of_the_page_under_the_names_of_the_law() -> None:
    _, _, seen, _ = learned(answer())
    assert seen is not None
    known = page_evidence(seen)
    chosen, loaded = known.pop("page.replay.consented_at"), known.pop("page.replay.loaded_at")
    assert chosen == loaded and chosen.isoformat() == "2026-11-22T11:58:31.500000+00:00"
    assert known == {
        "page.collects": ["first_name", "email", "phone", "zip"],
        "page.box_default": "unchecked",
        "page.contrast": 16.9,
        "page.disclosure_position": "above_button",
        "consent.certificate.rendered_request": True,
    }
    _, _, served, _ = learned(answer(None))
    assert served is not None and page_evidence(served) == {"page.collects": known["page.collects"]}


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://x.example/a?utm_source=m&email=a@b.c#top", "https://x.example/a?utm_source=m"),
        ("https://ana:secret@x.example:8443/a?zip=94110", "https://x.example:8443/a"),
        ("javascript:alert(1)", ""),
        ("data:text/html,hello", ""),
        ("https://[", ""),
        ("", ""),
    ],
)
def test_an_address_is_kept_without_what_may_name_somebody(url: str, kept: str) -> None:
    assert plain_address(url) == kept


def test_what_is_no_witness_of_ours_is_none() -> None:
    assert open_witness(b"") is None and open_witness(b"\xc1") is None and open_witness(b"\x80") is None
