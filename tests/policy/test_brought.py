"""What a lead brings along that the law asks for: the browser's wish, its page, papers, what its source says."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from leadmill.capture import FieldSpec, Lead, Submission, Vertical
from leadmill.consent import Seen, Witnessed, prove
from leadmill.consent.seen import Control, Place, Recorded, Shown
from leadmill.core.case import Heard
from leadmill.core.verdicts import Verdict
from leadmill.parties import Buyer, read_source
from leadmill.policy import Clear, SuppressionAsk, SuppressionFound, sale_key
from tests.policy.leads import NOW, buyer, case_of, hashed, roster
from tests.policy.test_leave import BUILT, ENGINE, clearance_of, outcome

FIELDS = {"case_facts": FieldSpec(name="case_facts"), "tobacco": FieldSpec(name="tobacco", sensitive="health")}
VERTICALS = {
    name: Vertical(name=name, title=name, fields=FIELDS)
    for name in ("solar", "mortgage", "education", "legal", "insurance_health", "insurance_medicare")
}
NOBODYS = Witnessed(served_at=NOW)
HERE = Place(0, 0, 10, 10)


def page(
    box: str = "unchecked", recorded: Recorded | None = None, gpc: bool = False, kept: bool = False, **shown: Any
) -> Witnessed:
    """A page of ours as its script saw it."""
    look: dict[str, Any] = {"contrast": 16.9, "hidden": False, "above_button": True, **shown}
    text = Shown(
        text="x",
        place=HERE,
        font_px=15,
        font_weight=400,
        ink="#000000",
        ground="#ffffff",
        visible_ms=9,
        **look,
    )
    control = Control("checkbox", box, "checked", HERE, kept)  # type: ignore[arg-type]
    seen = Seen(
        began_at=NOW,
        sent_ms=9_000,
        url="https://leads.example/f/quote",
        width=800,
        height=600,
        control=control,
        shown=text,
        recorded=recorded,
        gpc=gpc,
    )
    return Witnessed(served_at=NOW, seen=seen, asked=["email", "phone"])


def verdict_on(
    *buyers: Buyer,
    vertical: str = "solar",
    state: str = "CA",
    consent: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    fields: dict[str, Any] | None = None,
    seen: Witnessed | None = None,
    source: dict[str, Any] | None = None,
    found: SuppressionFound | None = None,
    demands: tuple[Any, ...] = (),
    certified: tuple[str, ...] | None = None,
    team: bool = False,
    **proof: Any,
) -> Verdict:
    case = case_of(vertical=vertical, state=state, given_at=NOW, **proof)
    lead = msgspec.structs.replace(case[Lead], consent=consent or {}, context=context or {})
    case.learn([msgspec.structs.replace(lead, fields=lead.fields | (fields or {}))])
    if seen is not None:
        case.learn(
            [
                seen,
                Submission(
                    id="sub_1",
                    source_id="acme",
                    channel="hosted",
                    received_at=NOW,
                    content_type="",
                    body=b"",
                    digest="",
                ),
            ]
        )
    known = roster(*(buyers or (buyer(),)), team=team)
    if source is not None:
        one = read_source({"id": "acme", "name": "Acme", "verticals": [vertical], **source})
        known = msgspec.structs.replace(known, sources={"acme": one})
    certs = {vertical: certified} if certified is not None else {}
    station = Clear(BUILT, VERTICALS, known, hashed, ENGINE, {vertical: demands}, certs)
    return station.judge(case, Heard({ask: found or SuppressionFound() for ask in station.wants(case)}), NOW)


# Opted out of sale

UNSOLD = SuppressionFound(unsold=NOW - timedelta(days=3))
TOLD: dict[str, Any] = {"directed_to": ["Helio Solar"], "directed_at": NOW}
BOTH_NAMED: dict[str, Any] = {
    "text": "I agree that Helio Solar LLC and Other Inc may call me. Agreeing is not a condition of purchase."
}

KEPT: list[tuple[str, dict[str, Any], str]] = [
    ("somebody who opted out of sale before", {"found": UNSOLD}, "stop CA-06"),
    ("the same, where no state's law asks for it", {"found": UNSOLD, "state": "WY"}, "stop SP-GPC"),
    ("a browser that says no this time", {"found": UNSOLD, "context": {"gpc": False}}, "stop CA-06"),
    ("our own people, who are no sale", {"found": UNSOLD, "team": True}, "west"),
    ("a later word to give it to this buyer", {"found": UNSOLD, **TOLD}, "helio"),
    ("one from before", {"found": UNSOLD, **TOLD, "directed_at": NOW - timedelta(days=3)}, "stop CA-06"),
    ("one of which nobody knows when", {"found": UNSOLD, **TOLD, "directed_at": None}, "stop CA-06"),
    ("one for somebody else", {"found": UNSOLD, **TOLD, "directed_to": ["Helio Solar West"]}, "stop CA-06"),
    ("the same browser objects once more", {"found": UNSOLD, **TOLD, "context": {"gpc": True}}, "stop CA-06"),
    ("a script that heard what no header said", {"seen": page(gpc=True)}, "stop CA-06"),
]


@pytest.mark.parametrize(("why", "lead", "says"), KEPT, ids=[item[0] for item in KEPT])
def test_an_opt_out_of_sale_counts_for_every_later_lead(why: str, lead: dict[str, Any], says: str) -> None:
    free: dict[str, Any] = {} if lead.get("state", "CA") == "CA" else {"licences": []}
    assert outcome(verdict_on(buyer(brands=["Helio Solar"], **free), **lead)) == says


def test_who_was_not_named_after_the_opt_out_gets_nothing() -> None:
    parties = (buyer(brands=["Helio Solar"]), buyer("other", "Other Inc"))
    found = clearance_of(verdict_on(*parties, found=UNSOLD, **TOLD, **BOTH_NAMED))
    assert found.cleared == ["helio"]
    assert found.refused["other"].detail["rule"] == "CA-06"


def test_the_law_asks_for_opt_outs_of_sale_by_keys_of_their_own() -> None:
    (ask,) = Clear(BUILT, VERTICALS, roster(buyer()), hashed, ENGINE).wants(case_of())
    assert isinstance(ask, SuppressionAsk)
    assert ask.sales == (sale_key(hashed, b"p"), sale_key(hashed, b"e"))
    assert not {*ask.sales} & {ask.phone, ask.email, *ask.phones, *ask.emails}


@pytest.mark.parametrize(
    ("consent", "to", "at"),
    [
        ({}, [], None),
        ({"directed_to": ["Helio"]}, ["Helio"], NOW - timedelta(days=2)),
        ({"directed_to": ["Helio"], "directed_at": "2026-03-03T15:00:00Z"}, ["Helio"], NOW - timedelta(days=1)),
        ({"directed_to": ["Helio"], "directed_at": "2026-04-01"}, ["Helio"], NOW),
    ],
)  # fmt: skip
def test_to_whom_a_lead_is_directed_is_heard_with_the_consent(
    consent: dict[str, Any], to: list[str], at: datetime | None
) -> None:
    said = {"text": "I agree.", "given_at": (NOW - timedelta(days=2)).isoformat(), **consent}
    lead = msgspec.structs.replace(case_of()[Lead], consent=said)
    submission = Submission(
        id="s", source_id="acme", channel="json", received_at=NOW, content_type="", body=b"", digest=""
    )
    proof = prove(lead, submission, None)
    assert (proof.directed_to, proof.directed_at) == (to, at)
    assert any("Told us" in line for line in proof.tell()) == bool(to)


# The page

SILENT = Witnessed(
    served_at=NOW, seen=Seen(began_at=NOW, sent_ms=9, url="https://leads.example/f/q", width=8, height=6), asked=["zip"]
)
ASKED = Recorded(mode="ask", notice="May we record?", shown_ms=0, chosen_ms=900, accepted=True, loaded_ms=1_000)
PAGES: list[tuple[str, dict[str, Any], str]] = [
    ("a page in order", {"seen": page()}, "helio"),
    ("a box that was ticked beforehand", {"seen": page(box="checked")}, "stop TEL-01"),
    ("a page shown again with the person's own tick", {"seen": page(box="checked", kept=True)}, "helio"),
    ("a contrast of 4.49", {"seen": page(contrast=4.49)}, "hold FTC-5"),
    ("a contrast of 4.5", {"seen": page(contrast=4.5)}, "helio"),
    ("a text before a picture", {"seen": page(contrast=None)}, "hold FTC-5"),
    ("a text below the button", {"seen": page(above_button=False)}, "hold FTC-5"),
    ("a text that nobody could see", {"seen": page(hidden=True)}, "hold FTC-5"),
    ("a recording after the choice", {"seen": page(recorded=ASKED)}, "helio"),
    ("one before it", {"seen": page(recorded=msgspec.structs.replace(ASKED, loaded_ms=800))}, "stop TEL-14"),
    ("one without a choice", {"seen": page(recorded=msgspec.structs.replace(ASKED, chosen_ms=None))}, "stop TEL-14"),
    ("a choice made on the page before", {
        "seen": page(recorded=msgspec.structs.replace(ASKED, chosen_ms=None, earlier=True))
    }, "helio"),
    ("a notice, where nobody insists on a choice", {
        "seen": page(recorded=msgspec.structs.replace(ASKED, mode="notice", chosen_ms=None))
    }, "helio"),
    ("a form that asks for no consent", {"seen": SILENT}, "helio"),
    ("a page whose script did not run", {"seen": NOBODYS}, "helio"),
    ("the same, where the house insists", {"seen": NOBODYS, "demands": ("page",)}, "hold ENG-3"),
    ("a publisher's word, too pale", {
        "consent": {"contrast": 3.2, "disclosure_position": "above_button"}, "box_default": "unchecked"
    }, "hold FTC-5"),
    ("a publisher's word, in order", {
        "consent": {"contrast": 7, "disclosure_position": "above_button"}, "box_default": "unchecked"
    }, "helio"),
    ("a publisher's word of its text alone", {"consent": {"contrast": 7}, "box_default": "unchecked"}, "hold FTC-5"),
    ("nothing of a page, where nobody insists", {}, "helio"),
    ("the same, where the house does", {"demands": ("page",)}, "hold ENG-3"),
    ("clicks that nobody counted, where the house insists", {"seen": page(), "demands": ("choices",)}, "hold FTC-5"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "lead", "says"), PAGES, ids=[item[0] for item in PAGES])
def test_a_page_that_should_not_have_asked_brings_nothing_to_sell(why: str, lead: dict[str, Any], says: str) -> None:
    assert outcome(verdict_on(**lead)) == says


# The state's deletion list

AUGUST = datetime(2026, 8, 3, 15, 0, tzinfo=NOW.tzinfo)


@pytest.mark.parametrize(
    ("pulled", "state", "source", "says"),
    [
        (timedelta(days=10), "CA", {}, "helio"),
        (timedelta(days=45), "CA", {}, "helio"),
        (timedelta(days=45, seconds=1), "CA", {}, "stop CA-11"),
        (timedelta(days=60), "NV", {}, "helio"),
        (timedelta(days=60), "CA", {"came": "inbound_call"}, "helio"),
        (None, "CA", {}, "helio"),
    ],
)
def test_a_deletion_list_of_more_than_45_days_stops_sales_in_california(
    pulled: timedelta | None, state: str, source: dict[str, Any], says: str
) -> None:
    found = SuppressionFound(pulled=AUGUST - pulled if pulled is not None else None)
    party = buyer() if state == "CA" else buyer(licences=[])
    case = case_of(state=state, given_at=AUGUST)
    one = read_source({"id": "acme", "name": "Acme", "verticals": ["solar"], **source})
    known = msgspec.structs.replace(roster(party), sources={"acme": one})
    station = Clear(BUILT, VERTICALS, known, hashed, ENGINE)
    assert outcome(station.judge(case, Heard(dict.fromkeys(station.wants(case), found)), AUGUST)) == says


# Papers, and what a source says

LICENSED: dict[str, Any] = {"licences": [{"kind": "producer", "number": "1", "states": ["CA", "FL", "OH", "TX"]}]}
NMLS: dict[str, Any] = {"licences": [{"kind": "NMLS", "number": "1", "states": ["CA", "FL", "OH", "TX"]}]}
BAR: dict[str, Any] = {
    "licences": [{"kind": "bar", "number": "1", "states": ["CA", "FL", "OH", "TX"]}],
    "kind": "law_firm",
}
WHOLE = ["scope", "purpose", "duration", "date", "names", "rescind"]
SICK: dict[str, Any] = {"fields": {"tobacco": True}, "state": "WA", "sensitive_opt_in": ["health"]}

PAPERS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("few complaints", {}, {"source": {"open_complaints": 2}}, "helio"),
    ("three complaints", {}, {"source": {"open_complaints": 3}}, "stop TEL-12"),
    ("complaints that nobody counts, where the house insists", {}, {"demands": ("complaints",)}, "hold TEL-12"),
    ("all that consent to health coverage must say", LICENSED, {
        "vertical": "insurance_health", "state": "OH", "consent": {"aca": WHOLE}
    }, "helio"),
    ("no word of how to take it back", LICENSED, {
        "vertical": "insurance_health", "state": "OH", "consent": {"aca": WHOLE[:-1]}
    }, "stop INS-7"),
    ("a school's list", {"licences": []}, {
        "vertical": "education", "state": "NC", "source": {"came": "school_list"}
    }, "stop PRV-4"),
    ("the same with what the person signed", {"licences": []}, {
        "vertical": "education", "state": "NC", "source": {"came": "school_list"}, "consent": {"ferpa_signed": True}
    }, "helio"),
    ("a clinic's list", {"licences": []}, {"state": "NC", "source": {"came": "covered_entity"}}, "stop PRV-3"),
    ("the same with an authorization", {"licences": []}, {
        "state": "NC", "source": {"came": "covered_entity"},
        "consent": {"health_sale_to": ["Helio Solar LLC"], "health_sale_at": "2026-03-01"},
    }, "helio"),
    ("a bureau's file without a basis", NMLS, {
        "vertical": "mortgage", "state": "TX", "source": {"came": "trigger_file"}
    }, "stop MTG-6"),
    ("the same with a firm offer, in time", NMLS, {
        "vertical": "mortgage", "state": "TX", "source": {"came": "trigger_file", "certifies": ["firm_offer"]}
    }, "helio"),
    ("a call that was recorded", LICENSED, {
        "vertical": "insurance_medicare", "state": "OH", "source": {"came": "inbound_call"},
        "context": {"recording": True},
    }, "helio"),
    ("one that was not", LICENSED, {
        "vertical": "insurance_medicare", "state": "OH", "source": {"came": "inbound_call"},
        "context": {"recording": False},
    }, "stop INS-5"),
    ("health data with an authorization for this buyer", {"licences": []}, {
        **SICK, "consent": {"health_sale_to": ["helio solar llc"], "health_sale_at": "2025-03-05"}
    }, "helio"),
    ("with one for another", {"licences": []}, {
        **SICK, "consent": {"health_sale_to": ["Helio Solar West"], "health_sale_at": "2026-03-01"}
    }, "stop policy.channel.none_open"),
    ("a Californian for lawyers, by a house that is certified", BAR, {
        "vertical": "legal", "certified": ("ca_lrs_certified",)
    }, "helio"),
    ("by one that is not", BAR, {"vertical": "legal", "certified": ()}, "stop LGL-4"),
    ("a firm that clears conflicts first", {**BAR, "clears_conflicts": True}, {
        "vertical": "legal", "state": "FL", "fields": {"case_facts": "x"}
    }, "helio"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "party", "lead", "says"), PAPERS, ids=[item[0] for item in PAPERS])
def test_papers_are_heard_where_they_come(why: str, party: dict[str, Any], lead: dict[str, Any], says: str) -> None:
    made = verdict_on(buyer(**party), **lead)
    if says == "stop policy.channel.none_open":
        assert clearance_of(made).refused["helio"].detail["rule"] == "PRV-1"
    else:
        assert outcome(made) == says


def test_a_firm_that_does_not_clear_conflicts_gets_no_facts() -> None:
    party = buyer(**BAR, clears_conflicts=False)
    found = clearance_of(verdict_on(party, vertical="legal", state="FL", fields={"case_facts": "x"}))
    assert found.refused["helio"].detail["rule"] == "LGL-5"
