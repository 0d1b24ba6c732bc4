"""What the tests of certificates share: a form, an answer to it, and what its page's script tells."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from leadmill.capture import Lead, Map, Submission, read_form
from leadmill.consent import Certified, Proof, Prove, Witnessed, pack_witness
from leadmill.core.case import NOTHING, Case
from leadmill.core.verdicts import Pass
from tests.capture.leads import NOW, VERTICALS

TEXT = "I agree that the companies named may call and text me. Not a condition of purchase."
SELLERS = ("Helio Solar LLC", "SunCo Inc")
SESSION = "5f" * 16
FORM = read_form(
    {
        "id": "quote",
        "vertical": "solar",
        "source": "own",
        "title": "A quote",
        "replay": "ask",
        "steps": [{"fields": ["first_name", "email", "phone", "zip"]}],
        "consent": {"text": TEXT, "sellers": list(SELLERS), "channels": ["call", "text"], "obtained_by": "Bright"},
    },
    VERTICALS,
)
ANSWERS = {
    "first_name": "Ana",
    "email": "ana.lopez@example.com",
    "phone": "415-555-0123",
    "zip": "94110",
    "consent[granted]": "yes",
}
AGENT = "Mozilla/5.0 (Test)"
DOCUMENT = f'<!doctype html><html><body><form><p>{TEXT}</p><input name="email"></form></body></html>'


def told(**more: Any) -> dict[str, Any]:
    """What the script tells of a good page, with other words for some of it."""
    shown = {
        "text": TEXT,
        "sellers": f"Companies that may get in touch: {', '.join(SELLERS)}.",
        "place": {"x": 440, "y": 1032.5, "width": 520, "height": 88},
        "font_px": 15,
        "font_weight": 400,
        "ink": "#1c1d1f",
        "ground": "#ffffff",
        "contrast": 16.9,
        "visible_ms": 8200,
        "hidden": False,
        "above_button": True,
    }
    seen = {
        "began_at": "2026-11-22T11:58:30.000Z",
        "sent_ms": 88_000,
        "url": "https://leads.example/f/quote?first_name=Ana&utm_source=mail#x",
        "referrer": "https://news.example/a?email=ana.lopez@example.com",
        "title": "A quote",
        "time_zone": "America/Los_Angeles",
        "language": "en-US",
        "width": 1440,
        "height": 900,
        "control": {"kind": "checkbox", "default": "unchecked", "state": "checked", "place": None},
        "shown": shown | more.pop("shown", {}),
        "acts": [[4000, "focus", "email"], [5000, "type", "email"], [80_000, "tick", "consent[granted]"]],
        "recorded": {
            "mode": "ask",
            "notice": "May we record this page?",
            "shown_ms": 20,
            "chosen_ms": 1500,
            "accepted": True,
            "loaded_ms": 1500,
        },
    }
    return seen | more


def answer(script: str | None = "good", document: str = DOCUMENT, **more: Any) -> Submission:
    """An answer to the form. ``script`` None: it did not run; otherwise what it wrote, as it is unless ``good``."""
    body = urlencode(ANSWERS | more.pop("answers", {})).encode()
    wrote = json.dumps({"seen": told(**more), "snapshot": document}) if script == "good" else script or ""
    return Submission(
        id="sub_1",
        source_id="own",
        channel="hosted",
        received_at=NOW,
        content_type="application/x-www-form-urlencoded",
        body=body,
        digest=hashlib.sha256(body).hexdigest(),
        headers={"user-agent": AGENT, "referer": "https://leads.example/f/quote?first_name=Ana"},
        remote_ip="203.0.113.9",
        form="quote",
        form_version=FORM.version,
        vertical="solar",
        session=SESSION,
        witness=pack_witness(NOW - timedelta(minutes=2), wrote),
    )


def walked(submission: Submission) -> Case:
    """The case after the step."""
    case = Case("lead_1", [submission])
    case.learn(Map(VERTICALS, {"quote": FORM}).judge(case, NOTHING, NOW).learned)
    verdict = Prove(VERTICALS, {"quote": FORM}).judge(case, NOTHING, NOW)
    assert isinstance(verdict, Pass)
    case.learn(verdict.learned)
    return case


def learned(submission: Submission) -> tuple[Lead, Proof, Witnessed | None, Certified | None]:
    """What the step learned of an answer."""
    case = walked(submission)
    return case[Lead], case[Proof], case.get(Witnessed), case.get(Certified)
