"""Hosted forms as configured."""

from typing import Any

import pytest

from leadmill.capture import map_lead, read_form, unanswered
from leadmill.core.faults import BadInput
from tests.capture.leads import LEXICON, VERTICALS

RAW: dict[str, Any] = {
    "id": "solar-quote",
    "vertical": "solar",
    "source": "own-site",
    "title": "What would solar save you?",
    "steps": [
        {"title": "Your home", "fields": ["zip", {"field": "monthly_bill", "label": "Bill", "required": True}]},
        {"title": "You", "fields": [{"field": "email", "required": True}, "phone"]},
    ],
    "consent": {"text": "I agree that Helio may call me.", "sellers": ["Helio Solar LLC"], "channels": ["call"]},
}


def test_a_form_is_read_with_the_packs_own_words():
    form = read_form(RAW, VERTICALS)
    assert [field.field for step in form.steps for field in step.fields] == ["zip", "monthly_bill", "email", "phone"]
    assert form.steps[0].fields[0].label == "ZIP code" and form.steps[0].fields[1].label == "Bill"
    assert form.consent is not None and form.consent.sellers == ("Helio Solar LLC",) and len(form.consent.version) == 12


def test_any_change_of_a_form_makes_another_version():
    versions = {
        read_form(raw, VERTICALS).version
        for raw in (
            RAW,
            RAW | {"title": "Other"},
            RAW | {"consent": RAW["consent"] | {"text": "Other."}},
            RAW | {"consent": RAW["consent"] | {"sellers": ["Other"]}},
            {key: value for key, value in RAW.items() if key != "consent"},
        )
    }
    assert len(versions) == 5
    assert read_form(dict(reversed(RAW.items())), VERTICALS).version == read_form(RAW, VERTICALS).version


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vertical": "soler"}, "did you mean 'solar'"),
        ({"colour": "red"}, "colour"),
        ({"steps": []}, "at least one step"),
        ({"steps": [{"fields": []}]}, "list of fields"),
        ({"steps": [{"fields": ["emial", "phone"]}]}, "did you mean 'email'"),
        ({"steps": [{"fields": ["email", "email"]}]}, "twice"),
        ({"steps": [{"fields": ["zip"]}]}, "neither email nor phone"),
        ({"steps": [{"fields": [{"field": "email", "requird": True}]}]}, "did you mean 'required'"),
        ({"consent": {"text": "x", "channels": ["fax"]}}, "fax"),
        ({"consent": {"sellers": ["x"]}}, "text"),
        ({"consent": {"text": "x", "box": "checked"}}, "unchecked"),
        ({"redirect_url": "javascript:alert(1)"}, "must begin with"),
        ({"accent": "red;}"}, "colour"),
        ({"embed_on": ["https://www.acme.example/offers"]}, "origin"),
        ({"embed_on": ["*"]}, "origin"),
        ({"embed_on": ["https://acme.example; script-src *"]}, "origin"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused_with_a_hint(change, says):
    with pytest.raises(BadInput, match=says):
        read_form(RAW | change, VERTICALS)


def test_required_questions_must_be_answered_and_consent_need_not_be_given():
    form = read_form(RAW, VERTICALS)
    empty = map_lead({"zip": "94107", "email": " "}, LEXICON, textual=True, bound="solar")
    assert [fault.pointer for fault in unanswered(form, empty)] == ["/fields/monthly_bill", "/fields/email"]
    full = map_lead({"email": "a@example.com", "monthly_bill": "0"}, LEXICON, textual=True, bound="solar")
    assert unanswered(form, full) == []
