"""The engine asked about leads on their walk: what each kind of evidence does to a clearance, and what its absence."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from leadmill.capture import FieldSpec, Lead, Submission, Vertical
from leadmill.certificates import CertificateRead, facts_of
from leadmill.core.case import Case, Heard
from leadmill.core.verdicts import Hold, Pass, Stop, Verdict
from leadmill.facts import Dossier, Fact
from leadmill.parties import Buyer
from leadmill.policy import Clear, Clearance, Foresee, SuppressionFound, law_of
from leadmill.runtime.packs import BUILT_IN, load_packs
from tests.policy.engine import engine_by
from tests.policy.leads import NOW, buyer, case_of, hashed, roster

BUILT = {name: law_of(pack) for name, pack in load_packs(BUILT_IN).laws.items()}
ENGINE = engine_by(BUILT)
_HEALTH = {"tobacco": FieldSpec(name="tobacco", type="bool", sensitive="health")}
VERTICALS = {
    name: Vertical(name=name, title=name, fields=_HEALTH, consent_required=name != "b2b")
    for name in ("solar", "b2b", "mortgage", "insurance_life", "insurance_medicare", "windmills")
}
BROKER = buyer(licences=[{"kind": "producer", "number": "1", "states": ["CA", "AZ"]}], vetted=True)


def verdict_on(
    *buyers: Buyer,
    team: bool = False,
    found: SuppressionFound | None = None,
    demands: dict[str, tuple[Any, ...]] | None = None,
    fields: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    consent: dict[str, Any] | None = None,
    facts: tuple[Fact, ...] = (),
    certificate: CertificateRead | None = None,
    vendor: str = "jornaya",
    hosted: bool = False,
    step: type[Clear] = Clear,
    **lead: Any,
) -> Verdict:
    if certificate is not None:
        lead["certificates"] = {vendor: "token"}
        facts = (*facts, *facts_of(vendor, certificate))
    case = case_of(**lead)
    held = case[Lead]
    case.learn(
        [
            msgspec.structs.replace(
                held, fields=held.fields | (fields or {}), context=context or {}, consent=consent or {}
            ),
            Dossier([*case[Dossier].facts, *facts]),
        ]
    )
    if hosted:
        case.learn([_submission()])
    station = step(BUILT, VERTICALS, roster(*(buyers or (buyer(),)), team=team), hashed, ENGINE, demands or {})
    asks = station.wants(case)
    return station.judge(case, Heard({ask: found or SuppressionFound() for ask in asks}), NOW)


def _submission() -> Submission:
    return Submission(
        id="sub_1", source_id="acme", channel="hosted", received_at=NOW, content_type="", body=b"", digest=""
    )


def clearance_of(verdict: Verdict) -> Clearance:
    (found,) = [item for item in verdict.learned if isinstance(item, Clearance)]
    return found


def outcome(verdict: Verdict) -> str:
    """In short: who is cleared, or why nobody is."""
    if isinstance(verdict, Pass):
        return ",".join(clearance_of(verdict).cleared) or "nobody"
    word = "stop" if isinstance(verdict, Stop) else "hold"
    return f"{word} {verdict.because.detail.get('rule', verdict.because.code)}"


LISTED = SuppressionFound(listed=("federal",), registries={"federal": date(2026, 3, 1)})
CLEAN = SuppressionFound(registries={"federal": date(2026, 2, 1)})
STALE = SuppressionFound(registries={"federal": date(2026, 1, 31)})
IN_TEXAS = SuppressionFound(listed=("TX",), registries={"TX": date(2026, 3, 1), "federal": date(2026, 3, 1)})

SOLD: list[tuple[str, dict[str, Any], str]] = [
    ("nothing but the lead", {}, "helio"),
    ("a browser that objects to a sale", {"context": {"gpc": True}}, "stop CA-06"),
    ("the same where no state's law asks for it", {"context": {"gpc": True}, "state": "WY"}, "stop SP-GPC"),
    ("our own people, who are no sale", {"context": {"gpc": True}, "team": True}, "west"),
    ("a browser of our own page that says nothing", {"hosted": True, "demands": {"solar": ("gpc",)}}, "helio"),
    ("nobody saw the browser, where the house insists", {"demands": {"solar": ("gpc",)}}, "hold CA-06"),
    ("no certificate, where nobody insists", {}, "helio"),
    ("no certificate, where the house does", {"demands": {"solar": ("certificate",)}}, "hold CRT-3"),
    ("a child", {"facts": (Fact("person.age", 12, "pass", "t"),)}, "stop CA-08"),
    ("a child where no law says more", {"facts": (Fact("person.age", 12, "pass", "t"),), "state": "WY"}, "helio"),
    ("a child in Oregon", {"facts": (Fact("person.age", 15, "pass", "t"),), "state": "OR"}, "stop SP-OR"),
    ("data of health without an opt-in", {"fields": {"tobacco": False}, "state": "TX"}, "stop SP-TX"),
    ("with one", {"fields": {"tobacco": True}, "sensitive_opt_in": ["health"], "state": "FL"}, "helio"),
    ("in Maryland", {"fields": {"tobacco": True}, "sensitive_opt_in": ["health"], "state": "MD"}, "stop SP-MD"),
    ("in Utah, without a notice", {"fields": {"tobacco": True}, "state": "UT"}, "stop SP-UT"),
    ("in Utah, with one", {"fields": {"tobacco": True}, "consent": {"sensitive_notice": True}, "state": "UT"}, "helio"),
    ("a registry's version of 31 days", {"found": CLEAN}, "helio"),
    ("one of 32", {"found": STALE}, "hold TEL-04"),
    ("the same without a number", {"found": STALE, "phone": "fail"}, "helio"),
    ("a vertical of one's own", {"vertical": "windmills"}, "helio"),
    ("the same and a browser that objects", {"vertical": "windmills", "context": {"gpc": True}}, "stop CA-06"),
    ("no state, and a licence to ask for", {"state": None}, "nobody"),
    ("no state, where nobody insists", {"state": None, "vertical": "b2b"}, "helio"),
    ("no state, where it does", {"state": None, "vertical": "b2b", "demands": {"b2b": ("place",)}}, "hold ENG-3"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "lead", "says"), SOLD, ids=[item[0] for item in SOLD])
def test_what_evidence_and_its_absence_do_to_a_sale(why: str, lead: dict[str, Any], says: str) -> None:
    party = buyer() if lead.get("state", "CA") == "CA" else buyer(licences=[])
    assert outcome(verdict_on(party, **lead)) == says


WAYS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("a listed number, and consent that names the seller", {"found": LISTED}, set()),
    ("a listed number, and a box ticked beforehand", {"found": LISTED, "box_default": "checked"}, {"call", "text"}),
    ("a box ticked beforehand alone", {"box_default": "checked"}, {"text"}),
    ("listed in another state", {"found": IN_TEXAS, "box_default": "checked"}, {"text"}),
    ("listed where the phone may ring", {
        "found": IN_TEXAS, "box_default": "checked", "facts": (Fact("phone.state", "TX", "pass", "t"),)
    }, {"call", "text"}),
    ("a number that went to somebody else", {"found": SuppressionFound(reassigned="yes")}, {"call", "text"}),
    ("one that did not", {"found": SuppressionFound(reassigned="no")}, set()),
    ("nobody knows, in Maine", {"state": "ME"}, set()),
    ("nobody knows, in Maine, where the house insists", {
        "state": "ME", "demands": {"solar": ("reassigned",)}
    }, {"call", "text"}),
    ("a provider says that it did", {"facts": (Fact("phone.reassigned", True, "fail", "t"),)}, {"call", "text"}),
    ("a result from before the consent", {
        "found": SuppressionFound(reassigned="yes", reassigned_at=NOW - timedelta(days=9)),
        "given_at": NOW - timedelta(days=8),
    }, set()),
    ("no consent in Connecticut", {"state": "CT", "vertical": "b2b", "kind": "none", "text": ""}, {"call", "text"}),
    ("no consent in Wyoming", {"state": "WY", "vertical": "b2b", "kind": "none", "text": ""}, {"text"}),
]  # fmt: skip


@pytest.mark.parametrize(("why", "lead", "closed"), WAYS, ids=[item[0] for item in WAYS])
def test_what_closes_calls_and_texts(why: str, lead: dict[str, Any], closed: set[str]) -> None:
    found = clearance_of(verdict_on(buyer() if lead.get("state", "CA") == "CA" else buyer(licences=[]), **lead))
    assert {name for name, shut in found.channels.items() if shut is not None} == closed


GOOD = CertificateRead(standing="good", phone=True, email=True, recorded=True)
FRESH: dict[str, Any] = {
    "vendor": "trustedform",
    "certificate": msgspec.structs.replace(GOOD, created_at=NOW - timedelta(hours=71)),
}
LATE: dict[str, Any] = {
    "vendor": "trustedform",
    "certificate": msgspec.structs.replace(GOOD, created_at=NOW - timedelta(hours=73)),
}
OURS: dict[str, Any] = {"demands": {"solar": ("certificate",)}}
UNASKED: dict[str, Any] = {"certificates": {"trustedform": "token"}}

CERTIFIED: list[tuple[str, dict[str, Any], str]] = [
    ("good and of this person", {"certificate": GOOD, **OURS}, "helio"),
    ("of another phone, whoever insists", {"certificate": msgspec.structs.replace(GOOD, phone=False)}, "stop CRT-2"),
    ("never asked about, where nobody insists", UNASKED, "helio"),
    ("never asked about, where the house does", {**UNASKED, **OURS}, "hold CRT-3"),
    ("the request not stored as shown", {"certificate": msgspec.structs.replace(GOOD, recorded=False)}, "stop TEL-11"),
    ("stored by us alone", {"certificate": msgspec.structs.replace(GOOD, recorded=None)}, "helio"),
    ("not three days old", FRESH, "helio"),
    ("gone after three days", LATE, "stop CRT-1"),
]


@pytest.mark.parametrize(("why", "lead", "says"), CERTIFIED, ids=[item[0] for item in CERTIFIED])
def test_what_a_vendors_certificate_does(why: str, lead: dict[str, Any], says: str) -> None:
    assert outcome(verdict_on(**lead)) == says


def test_a_certificate_that_must_be_kept_is_an_obligation() -> None:
    verdict = verdict_on(**FRESH)
    assert clearance_of(verdict).obligations == ["retain_certificate"]
    assert "CRT-1" in {rule.id for rule in verdict.rules}


def test_a_buyer_may_insist_on_what_the_house_does_not() -> None:
    verdict = verdict_on(buyer(), buyer("strict", "Strict Solar", brands=["Helio Solar LLC"], demands=["certificate"]))
    found = clearance_of(verdict)
    assert found.cleared == ["helio"]
    assert found.refused["strict"].code == "policy.recipient.review"
    assert found.refused["strict"].detail["rule"] == "CRT-3"


def test_where_everybody_must_be_looked_at_the_lead_waits_and_goes_on_as_far_as_it_was_cleared() -> None:
    verdict = verdict_on(buyer(demands=["certificate"]), buyer("other", "Other Inc"))
    assert isinstance(verdict, Hold)
    found = clearance_of(verdict)
    assert (found.cleared, list(found.refused)) == (["helio"], ["other"])


LICENCES: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("of no class, where nobody insists", {}, {}, None),
    ("of another class", {"class": "C-27"}, {}, "SOL-3"),
    ("of the right class", {"class": "C-46"}, {}, None),
    ("of no class, where the buyer insists", {}, {"demands": ["licence_line"]}, "SOL-3"),
    ("that has expired", {"expires": "2026-03-03"}, {}, "SOL-3"),
]


@pytest.mark.parametrize(("why", "licence", "party", "rule"), LICENCES, ids=[item[0] for item in LICENCES])
def test_which_licences_count(why: str, licence: dict[str, Any], party: dict[str, Any], rule: str | None) -> None:
    held: dict[str, Any] = {"kind": "CSLB", "number": "1", "states": ["CA"], **licence}
    found = clearance_of(verdict_on(buyer(licences=[held], **party)))
    assert (found.refused["helio"].detail["rule"] if found.refused else None) == rule


def test_a_mortgage_asks_for_the_licence_of_the_propertys_state() -> None:
    party = buyer(licences=[{"kind": "NMLS", "number": "1", "states": ["AZ"], "checked": "2026-01-05"}])
    away: dict[str, Any] = {"vertical": "mortgage", "fields": {"property_state": "AZ"}}
    assert outcome(verdict_on(party, **away)) == "helio"
    assert "helio" in clearance_of(verdict_on(party, vertical="mortgage")).refused
    aged = clearance_of(verdict_on(party, **away, demands={"mortgage": ("licence_age",)}))
    assert aged.cleared == ["helio"]  # on hold: let go, it goes to whom somebody looked up


def test_an_owner_abroad_counts_for_sensitive_data_where_it_is_declared() -> None:
    party = buyer(licences=[], ownership={"US": 70, "CN": 30})
    lead: dict[str, Any] = {"fields": {"tobacco": True}, "state": "WY"}
    assert clearance_of(verdict_on(party, **lead)).refused["helio"].detail["rule"] == "PRV-6"
    assert outcome(verdict_on(party, state="WY")) == "helio"
    assert outcome(verdict_on(buyer(licences=[]), **lead)) == "helio"


def test_a_medicare_lead_that_names_whom_the_person_chose_goes_to_nobody_else() -> None:
    lead: dict[str, Any] = {"vertical": "insurance_medicare", "given_at": NOW}
    assert outcome(verdict_on(BROKER, **lead)) == "helio"
    assert outcome(verdict_on(BROKER, **lead, consent={"chosen": ["Helio Solar LLC"]})) == "helio"
    refused = clearance_of(verdict_on(BROKER, **lead, consent={"chosen": ["Other Inc"]})).refused
    assert refused["helio"].detail["rule"] == "INS-3"


def test_a_ping_may_not_carry_what_may_move_no_price() -> None:
    party = buyer(licences=[{"kind": "NMLS", "number": "1", "states": ["CA", "AZ"]}])
    ping: dict[str, Any] = {"vertical": "mortgage", "step": Foresee}
    assert outcome(verdict_on(party, **ping)) == "helio"
    assert outcome(verdict_on(party, **ping, fields={"marital_status": "single"})) == "stop MTG-4"
    assert outcome(verdict_on(party, **ping, fields={"ssn": "1"})) == "stop FTC-2"


def test_a_ping_is_not_held_for_what_only_its_post_can_bring() -> None:
    demands: dict[str, Any] = {"solar": ("certificate", "gpc", "dnc", "reassigned")}
    assert outcome(verdict_on(step=Foresee, demands=demands)) == "helio"


def test_leads_of_the_same_traits_share_one_judgement() -> None:
    station = Clear(BUILT, VERTICALS, roster(buyer()), hashed, ENGINE)
    first, second, other = (_judge(station, case_of(state=state)) for state in ("CA", "CA", "NV"))
    assert first is second
    assert other is not first


def _judge(station: Clear, case: Case) -> Verdict:
    (ask,) = station.wants(case)
    return station.judge(case, Heard({ask: SuppressionFound()}), NOW)
