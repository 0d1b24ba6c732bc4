"""What counts as proof of consent."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from leadmill.capture import Map, read_form
from leadmill.consent import Proof, Prove, read_stamp, stamp_page
from leadmill.consent.rules import (
    BAD_TIME,
    FROM_TEXT,
    LATER,
    NO_FORM,
    NO_TEXT,
    NO_TIME,
    NOT_GIVEN,
    NOT_TICKED,
    read_moment,
    spoken_channels,
)
from leadmill.core.case import NOTHING, Case
from leadmill.core.faults import BadInput
from leadmill.core.verdicts import Pass
from tests.capture.leads import GOOD, NOW, VERTICALS, submission

TEXT = "I agree that the companies above may call and text me. Not a condition of purchase."
RAW: dict[str, Any] = {
    "id": "quote",
    "vertical": "solar",
    "source": "own",
    "title": "A quote",
    "steps": [{"fields": ["email", "zip"]}],
    "consent": {"text": TEXT, "sellers": ["Helio Solar LLC"], "channels": ["call", "text"], "obtained_by": "Bright"},
}
FORM = read_form(RAW, VERTICALS)
OLD = read_form(RAW | {"consent": RAW["consent"] | {"sellers": ["Old Solar LLC"]}}, VERTICALS)


def proof_of(found, forms=None) -> Proof:
    forms = {"quote": FORM} if forms is None else forms
    case = Case("lead_1", [found])
    mapped = Map(VERTICALS, forms).judge(case, NOTHING, NOW)
    case.learn(mapped.learned)
    verdict = Prove(VERTICALS, forms).judge(case, NOTHING, NOW)
    assert isinstance(verdict, Pass)
    (proof,) = verdict.learned
    assert isinstance(proof, Proof)
    return proof


def sent(consent: dict[str, Any], channel: str = "json", **context: Any) -> Proof:
    return proof_of(submission(GOOD | {"consent": consent, "context": context}, channel))


def hosted(body: str, version: str = FORM.version, forms=None) -> Proof:
    return proof_of(
        submission(
            f"email=a%40example.com&{body}".encode(),
            "hosted",
            form="quote",
            form_version=version,
            remote_ip="203.0.113.9",
        ),
        forms,
    )


def test_what_a_publisher_says_was_shown_is_a_written_proof():
    said = {
        "text": TEXT,
        "sellers": ["Helio"],
        "channels": ["SMS", "phone"],
        "given_at": "2026-11-22T11:00:00Z",
        "box_default": "unchecked",
        "trusted_form_cert_url": "https://cert.example/1",
        "universal_leadid": "AAA",
        "url": "https://p.example",
    }
    proof = sent(said, ip="198.51.100.1", user_agent="B")
    assert (proof.kind, proof.origin, proof.text) == ("written", "source", TEXT)
    assert proof.text_sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert proof.channels == ["call", "text"] and proof.sellers == ["Helio"]
    assert proof.given_at == datetime(2026, 11, 22, 11, tzinfo=UTC)
    assert proof.certificates == {"trustedform": "https://cert.example/1", "jornaya": "AAA"}
    assert (proof.ip, proof.user_agent, proof.url, proof.box_default) == (
        "198.51.100.1",
        "B",
        "https://p.example",
        "unchecked",
    )
    assert proof.doubts == []


@pytest.mark.parametrize(
    ("consent", "doubts"),
    [
        ({}, []),
        ({"granted": True}, [NO_TEXT]),
        ({"text": "yes"}, [NO_TEXT]),
        ({"text": TEXT, "granted": False}, [NOT_GIVEN]),
        ({"text": TEXT, "kind": "none"}, [NOT_GIVEN]),
        ({"text": TEXT, "kind": "oral"}, ["The consent is said to be oral, not written."]),
        ({"universal_leadid": "AAA"}, []),
        ({"sellers": ["Helio"], "given_at": "2026-01-01"}, []),
    ],
)
def test_without_a_text_that_was_agreed_to_there_is_no_proof(consent, doubts):
    proof = sent(consent)
    assert proof.kind == "none" and proof.doubts == doubts and proof.channels == [] and proof.text == ""


@pytest.mark.parametrize(
    ("consent", "channel", "at", "doubts"),
    [
        ({"given_at": "2026-11-01"}, "json", datetime(2026, 11, 1, tzinfo=UTC), []),
        ({"given_at": "2026-11-22T14:00:00+02:00"}, "json", NOW, []),
        ({"given_at": "1793620800"}, "json", datetime(2026, 11, 2, 12, 0, tzinfo=UTC), []),
        ({"given_at": "1793620800000"}, "json", datetime(2026, 11, 2, 12, 0, tzinfo=UTC), []),
        ({}, "json", NOW, [NO_TIME]),
        ({"given_at": "last week"}, "json", NOW, [BAD_TIME, NO_TIME]),
        ({"given_at": "2027-01-01"}, "json", NOW, [LATER]),
        ({}, "file", None, []),
        ({"given_at": "last week"}, "file", None, [BAD_TIME]),
    ],
)
def test_the_moment_of_consent_is_never_later_than_its_arrival_and_never_invented_for_a_file(
    consent, channel, at, doubts
):
    proof = sent({"text": TEXT, "channels": ["call"], **consent}, channel)
    assert proof.given_at == at and proof.doubts == doubts


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("You may call me.", ["call"]),
        ("Agree to SMS and e-mails", ["text", "email"]),
        ("calls, texts and email", ["call", "text", "email"]),
        ("I accept the terms", []),
        ("This context is emailable", []),
    ],
)
def test_ways_of_contact_not_listed_are_read_from_the_text(text, channels):
    proof = sent({"text": text, "given_at": "2026-01-01"})
    assert proof.channels == channels and FROM_TEXT in proof.doubts


def test_what_a_person_declined_is_not_agreed_to():
    proof = sent({"text": TEXT, "channels": ["call", "text", "email"], "refused": ["sms"], "do_not_email": True})
    assert proof.channels == ["call"] and proof.refused == ["text", "email"]
    assert sent({"do_not_call": "yes"}).refused == ["call"]


def test_a_hosted_forms_proof_is_what_was_published_whatever_the_browser_claims():
    proof = hosted("agree=yes&tcpa_text=Anything&sellers=Everybody&channels=email&consent.given_at=2020-01-01")
    assert (proof.kind, proof.origin, proof.text) == ("written", "form", TEXT)
    assert FORM.consent is not None and proof.version == FORM.consent.version
    assert proof.sellers == ["Helio Solar LLC"] and proof.channels == ["call", "text"]
    assert (proof.given_at, proof.ip, proof.obtained_by, proof.box_default) == (
        NOW,
        "203.0.113.9",
        "Bright",
        "unchecked",
    )


@pytest.mark.parametrize(("body", "doubt"), [("", NOT_TICKED), ("agree=0", NOT_TICKED), ("agree=no", NOT_TICKED)])
def test_a_box_left_alone_is_no_consent(body, doubt):
    proof = hosted(body)
    assert proof.kind == "none" and proof.doubts == [doubt]


def test_a_text_above_the_button_is_agreed_to_by_pressing_it():
    form = read_form(RAW | {"consent": RAW["consent"] | {"box": "none"}}, VERTICALS)
    proof = hosted("", form.version, {"quote": form})
    assert proof.kind == "written" and proof.box_default == "none"


def test_an_answer_to_an_earlier_page_is_proven_by_that_page():
    forms = {"quote": FORM, f"quote@{OLD.version}": OLD}
    assert hosted("agree=1", OLD.version, forms).sellers == ["Old Solar LLC"]
    unknown = hosted("agree=1", "0" * 16)
    assert unknown.kind == "none" and unknown.doubts == [NO_FORM]


def test_a_form_that_asks_for_no_consent_gives_none():
    form = read_form({key: value for key, value in RAW.items() if key != "consent"}, VERTICALS)
    assert hosted("agree=1", form.version, {"quote": form}).kind == "none"


def test_a_proof_round_trips_and_tells_neither_address_nor_browser():
    proof = sent({"text": TEXT, "trustedform": "https://cert.example/1"}, ip="198.51.100.1", user_agent="Browser")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(proof), type=Proof) == proof
    told = " ".join(proof.tell())
    assert "198.51" not in told and "Browser" not in told and "trustedform" in told


def keyed_hash(purpose: str, text: str) -> bytes:
    return hashlib.sha256(f"secret {purpose} {text}".encode()).digest()[:16]


def test_a_stamp_says_which_page_was_served_and_when():
    stamp = read_stamp(keyed_hash, stamp_page(keyed_hash, FORM, NOW), NOW + timedelta(hours=1))
    assert (stamp.form, stamp.version, stamp.served_at) == ("quote", FORM.version, NOW)


@pytest.mark.parametrize(
    ("change", "after", "code"),
    [
        (lambda stamp: stamp.replace("quote", "other"), 1, "consent.stamp.malformed"),
        (lambda stamp: stamp[:-1], 1, "consent.stamp.malformed"),
        (lambda stamp: "", 1, "consent.stamp.malformed"),
        (lambda stamp: "é~" * 900, 1, "consent.stamp.malformed"),
        (lambda stamp: stamp, 49, "consent.stamp.expired"),
        (lambda stamp: stamp, -1, "consent.stamp.expired"),
    ],
)
def test_a_stamp_that_is_not_ours_or_too_old_is_refused(change, after, code):
    stamp = change(stamp_page(keyed_hash, FORM, NOW))
    with pytest.raises(BadInput) as refused:
        read_stamp(keyed_hash, stamp, NOW + timedelta(hours=after))
    assert refused.value.code == code


@pytest.mark.parametrize("value", [None, "", "soon", True, [], "9" * 13, "99999999999999", "0000-00-00", "²²²²²²²²²²"])
def test_what_is_no_moment_is_none(value):
    assert read_moment(value) is None or isinstance(read_moment(value), datetime)


def test_channels_have_one_name():
    assert spoken_channels(["E-Mail", "PHONE", "Text Message", "pigeon"]) == ["call", "text", "email"]
