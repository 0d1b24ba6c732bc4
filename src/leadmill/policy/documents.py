"""The documents that the law engine judges, made from what the walk knows: the shape of cases, filled with traits.

Called by the station and by those who ask leave for a message, a charge or a ranking. What nobody knows is left out.
Pure.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from leadmill.parties import Buyer, Team
from leadmill.policy.evidence import TODAY, WHERE
from leadmill.policy.traits import Listed, Traits

Document = dict[str, Any]

_OURS = "the house"
"""Who obtained the consent and who sends, where they are the same and neither need be named."""

_BY_HAND: Document = {
    "automated": False,
    "prerecorded": False,
    "ai_voice": False,
    "marketing": True,
    "sender": _OURS,
    "caller_id": {"assigned": True, "accepts_optout": True},
    "identifies_caller": True,
    "opt_out_offered": True,
    "tendlc": {"registered": True},
}
"""The gentlest way to contact somebody: what forbids even this closes the way. How a recipient goes about it is its own
affair, and its own evidence."""


def known_of(traits: Traits) -> dict[str, Any]:
    """What is worked out already, by the names of evidence."""
    # To whom the person directed the lead after the signal is known of each buyer, and nobody else was.
    found: dict[str, Any] = {WHERE: traits.where, TODAY: traits.today, "gpc.directed_later": False}
    if traits.pull_hours is not None:
        found["drop.hours"] = traits.pull_hours
    if traits.page is not None:
        found["page.replay_early"] = traits.page.early
    if traits.certified is not None:
        found["certificate.state"] = traits.certified.state
    return found


def sale_of(traits: Traits) -> Document:
    """The lead as it is sold, without a recipient."""
    return _filled(
        action="sell",
        vertical=traits.vertical,
        lead=_lead(traits),
        consent=_consent(traits),
        facts=_facts(traits),
    )


def bought_by(document: Document, buyer: Buyer, traits: Traits) -> Document:
    """The same with a buyer as its recipient."""
    terms = buyer.contract
    if terms is not None and (terms.signed > traits.day or (terms.ends is not None and traits.day > terms.ends)):
        terms = None
    states = {*traits.where.home, *([traits.property_state.upper()] if traits.property_state else [])}
    recipient = _filled(
        id=buyer.id,
        name=buyer.name,
        brands=list(buyer.brands),
        vertical=traits.vertical,
        kind=buyer.kind,
        licences=_licences(buyer, states, traits.day),
        contract={"privacy_terms": terms.privacy_terms, "signed": terms.signed.isoformat()} if terms else None,
        vetted=buyer.vetted,
        certifies_use=buyer.certifies_use,
        conflicts_cleared=buyer.clears_conflicts,
        ownership=[{"country": code, "share": share} for code, share in buyer.ownership.items()]
        if buyer.ownership is not None
        else None,
    )
    return {**document, "recipient": recipient}


def kept_by(document: Document, team: Team, traits: Traits) -> Document:
    """The same with a team of the house as its recipient, which is no sale."""
    recipient = {
        "id": team.id,
        "name": team.name,
        "vertical": traits.vertical,
        "kind": "in_house",
        "vetted": True,
        "certifies_use": True,
    }
    return {**document, "action": "route", "recipient": recipient}


def contact_of(traits: Traits, way: str) -> Document:
    """One contact with the person, by hand and as the law wants it."""
    lead = {**_lead(traits), **({"phone": "given"} if traits.phone else {})}
    written = traits.kind == "written"
    consent = _consent(traits)
    consent |= {
        "obtained_by": _OURS,
        "pewc": {
            "signed": written,
            "authorises_seller_marketing": written,
            "phone_number": written,
            "conspicuous": written,
            "not_condition_of_purchase": traits.unconditional,
        },
    }
    return _filled(
        action=way,
        vertical=traits.vertical,
        lead=lead,
        consent=consent,
        channel=_BY_HAND,
        facts=_facts(traits),
    )


def page_of(traits: Traits) -> Document:
    """The page that took the lead in."""
    page = traits.page.document() if traits.page is not None else None
    return {**sale_of(traits), **_filled(action="capture", page=page)}


def ping_of(traits: Traits, fields: Sequence[str]) -> Document:
    """A ping with these fields."""
    found = sale_of(traits)
    return {**found, "action": "ping", "payload": {"fields": list(fields)}}


def _lead(traits: Traits) -> Document:
    return _filled(
        state=traits.where.home[0] if traits.known_state else None,
        age=traits.age,
        purpose=traits.vertical,
        sensitive=list(traits.sensitive) or None,
        line_type=traits.line,
        inquiry={"source_kind": traits.came, "initiated_by": traits.initiated},
        fields={"property_state": traits.property_state} if traits.property_state else None,
    )


def _consent(traits: Traits) -> Document:
    found = traits.certified
    certificate = None
    if found is not None:
        certificate = _filled(vendor=found.vendor, matched=found.matched, rendered_request=found.rendered)
    papers = traits.papers.consent() if traits.papers is not None else {}
    if traits.came == "covered_entity":  # whose data nobody passes on without a signed authorization (45 CFR 164.508)
        papers.setdefault("health", {"collect": False})
    return papers | _filled(
        kind=traits.kind,
        box_default=traits.box,
        channels=list(traits.channels),
        sensitive_opt_in=list(traits.agreed),
        sensitive_notice=traits.noticed,
        certificate=certificate,
        tpmo=[{"name": name, "separately_chosen": True, "default_on": False} for name in traits.chosen]
        if traits.chosen is not None
        else None,
    )


def _facts(traits: Traits) -> Document:
    papers = traits.papers.facts() if traits.papers is not None else {}
    return papers | _filled(
        gpc={"signal": traits.gpc} if traits.gpc is not None else None,
        suppression={"phone": traits.no_phone, "email": traits.no_email},
        dnc=_dnc(traits.listed) if traits.listed is not None else None,
        rnd={"result": traits.reassigned} if traits.reassigned is not None else None,
        # Whoever is on the list is suppressed, and has no part in a sale.
        drop={"registered": True, "match": "no_match"} if traits.pull_hours is not None else None,
        trigger=dict.fromkeys(traits.trusted, True) or None,
        source={"open_fabricated_consent_complaints": traits.complaints} if traits.complaints is not None else None,
        platform={"aggregator": True} | dict.fromkeys(traits.certified_for, True)
        if traits.certified_for is not None
        else None,
    )


def _dnc(listed: Listed) -> Document | None:
    as_of = listed.as_of.isoformat() if listed.as_of is not None else None
    return _filled(listed=listed.nation, state_listed=listed.state, registry_date=as_of) if as_of else None


def _licences(buyer: Buyer, states: set[str], day: date) -> list[Document]:
    """The buyer's licences in these states; one that is good in all of them counts in each."""
    found = []
    for one in buyer.licences:
        active = one.active and (one.expires is None or day <= one.expires)
        checked = datetime.combine(one.checked, time(), UTC).isoformat() if one.checked is not None else None
        for state in sorted(states):
            if state in one.states or "*" in one.states:
                held = {"kind": one.kind, "number": one.number, "state": state, "active": active}
                more = {"checked_at": checked, "lines": list(one.lines) or None, "class": one.licence_class or None}
                found.append(held | _filled(**more))
    return found


def _filled(**values: Any) -> Document:
    return {name: value for name, value in values.items() if value is not None}
