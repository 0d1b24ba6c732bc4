"""What follows from a case about contacting a person: the means, the consent, the lists, what happened before.

Derived evidence of :mod:`leadmill.policy.evidence`. Each function is pure and answers for whatever a case holds; what
the names mean is said in the table at the end, from which the documentation is made.
"""

from datetime import timedelta
from typing import Any

from leadmill.policy.calendars import add_months, local_day, within_months
from leadmill.policy.evidence import Derived, Evidence, day_in_text, instant_in, utc_day
from leadmill.policy.rules import plain

_PEWC = ("signed", "authorises_seller_marketing", "phone_number", "conspicuous", "not_condition_of_purchase")
_CONFIRM_WITHIN = timedelta(minutes=5)
_DAY = timedelta(hours=24)


def _marketing(e: Evidence) -> bool:
    said = e.flag("channel.marketing")
    if said is not None:
        return said
    # Whoever does not say is taken to advertise, unless the purpose says otherwise.
    return e.text("channel.purpose") != "transactional"


def _recorded_voice(e: Evidence) -> bool:
    return e.flag("channel.prerecorded") is True or e.flag("channel.ai_voice") is True


def _machine(e: Evidence) -> bool:
    return e.flag("channel.automated") is True or _recorded_voice(e)


def _selects(e: Evidence) -> bool:
    said = e.flag("channel.auto_select")
    return e.flag("channel.automated") is True if said is None else said


def _dials(e: Evidence) -> bool:
    said = e.flag("channel.auto_dial")
    return e.flag("channel.automated") is True if said is None else said


def _consent_fault(e: Evidence) -> str | None:
    """What a written consent to this way of contact lacks; None where it lacks nothing."""
    if e.text("consent.kind") != "written":
        return "no_written_consent"
    given = e.instant("consent.given_at")
    if given is not None and given > e.now:
        return "no_written_consent"
    if e.text("consent.box_default") == "checked":
        return "no_signature_act"
    for part in _PEWC:
        if e.flag(f"consent.pewc.{part}") is not True:
            return "no_signature_act" if part == "signed" else f"consent_lacks_{part}"
    return None if e.text("action") in e.texts("consent.channels") else "channel_not_consented"


def _seller_names(e: Evidence) -> set[str]:
    seller = e.text("channel.seller") or e.text("recipient.name")
    return {name for text in (seller, *e.texts("recipient.brands")) if text and (name := plain(text))}


def _names_seller(e: Evidence) -> bool:
    if e.text("consent.sellers_display") != "visible":
        return False
    return not _seller_names(e).isdisjoint(plain(name) for name in e.texts("consent.sellers_named"))


def recipient_names(e: Evidence) -> set[str]:
    """The recipient's legal name and brands, as names are compared."""
    return {name for text in (e.text("recipient.name"), *e.texts("recipient.brands")) if text and (name := plain(text))}


def _sender_obtained(e: Evidence) -> bool | None:
    """Whether who sends is who obtained the consent; None where nobody says who sends."""
    sender, obtained = e.text("channel.sender"), e.text("consent.obtained_by")
    return None if sender is None else obtained is not None and plain(sender) == plain(obtained)


def _listed(e: Evidence) -> bool:
    return e.flag("facts.dnc.listed") is True or e.flag("facts.dnc.state_listed") is True


def _registry_days(e: Evidence) -> int | None:
    dated = day_in_text(e.get("facts.dnc.registry_date"))
    return None if dated is None else (utc_day(e.now) - dated).days


def _ebr(e: Evidence) -> bool:
    seller = plain(e.text("channel.seller") or e.text("recipient.name") or "")
    zones = e.where.zones
    for event in e.past("inquiry", "transaction"):
        then = instant_in(event.get("at"))
        with_whom = event.get("with")
        if then is not None and seller and isinstance(with_whom, str) and plain(with_whom) == seller:
            months = 3 if event["kind"] == "inquiry" else 18
            if within_months(then, e.now, months, zones):
                return True
    return False


def _said(e: Evidence) -> str:
    """The gravest meaning of the person's replies."""
    found = "none"
    for event in e.past("reply"):
        text = event.get("text")
        meant = e.setting.read_reply(text) if isinstance(text, str) and text.strip() else "review"
        if meant == "revoke":
            return meant
        found = meant if meant == "review" else found
    return found


def _opt_outs(e: Evidence) -> list[tuple[str, Any]]:
    """Every request for an end, as its scope and moment."""
    found = []
    for event in e.past("opt_out", "dnc_request"):
        scope = event.get("scope")
        found.append((scope if scope in ("phone", "email") else "all", instant_in(event.get("at"))))
    for event in e.past("reply"):
        text = event.get("text")
        if isinstance(text, str) and e.setting.read_reply(text) == "revoke":
            found.append(("all", instant_in(event.get("at"))))
    return found


def _opted_out(e: Evidence, scope: str) -> bool:
    return any(one in (scope, "all") for one, _ in e.get("history.opt_outs"))


def _revoked(e: Evidence) -> bool:
    at = e.instant("consent.revoked_at")
    return at is not None and at <= e.now


def _confirmation_due(e: Evidence) -> bool:
    """Whether the one confirmation of an opt-out may go now."""
    if e.past("confirmation"):
        return False
    moments = [at for scope, at in e.get("history.opt_outs") if scope != "email" and at is not None]
    revoked = e.instant("consent.revoked_at")
    if revoked is not None and revoked <= e.now:
        moments.append(revoked)
    return bool(moments) and e.now - max(moments) <= _CONFIRM_WITHIN


def _solicitations(e: Evidence) -> int:
    since = e.now - _DAY
    return sum(
        1
        for event in e.past("call", "text")
        if event.get("marketing") is not False and ((at := instant_in(event.get("at"))) is None or at > since)
    )


def _refused_lately(e: Evidence) -> bool:
    """Whether the twelve months after a refusal are not yet over, by the dates of some zone."""
    for event in e.past("refusal"):
        then = instant_in(event.get("at"))
        if then is None:
            return True
        for zone in e.where.zones:
            if local_day(e.now, zone) <= add_months(local_day(then, zone), 12):
                return True
    return False


def _permitted(e: Evidence) -> bool | None:
    """Medicare's permission to contact; None where nobody knows since when."""
    if e.text("consent.kind") not in ("written", "oral") or e.text("action") not in e.texts("consent.channels"):
        return False
    given = e.instant("consent.given_at")
    return None if given is None else within_months(given, e.now, 12, e.where.zones)


def _asked_for(e: Evidence) -> bool | None:
    """Whether the person asked first; None where nobody says."""
    if (e.text("lead.inquiry.source_kind") or "").casefold() == "crash_report":
        return False
    by = e.text("lead.inquiry.initiated_by")
    return None if by is None else by == "consumer"


CONTACTS = {
    "today": Derived(lambda e: e.today.isoformat(), "the person's date"),
    "home.states": Derived(lambda e: list(e.where.home), "the states of the address and of what the person said"),
    "called.states": Derived(lambda e: list(e.where.reached), "those, and the area code's"),
    "contact.marketing": Derived(_marketing, "whether the contact advertises; what does not say so is taken to"),
    "contact.recorded_voice": Derived(_recorded_voice, "whether a recording or a made voice speaks"),
    "contact.machine": Derived(_machine, "an autodialer, a recording or a made voice"),
    "contact.selects": Derived(_selects, "whether a machine selects the number"),
    "contact.dials": Derived(_dials, "whether a machine dials it"),
    "contact.sender_obtained": Derived(_sender_obtained, "whether who sends obtained the consent; absent if unsaid"),
    "consent.fault": Derived(_consent_fault, "what a written consent to this way of contact lacks, absent if nothing"),
    "consent.good": Derived(lambda e: e.get("consent.fault") is None, "whether it lacks nothing"),
    "consent.names_seller": Derived(_names_seller, "whether the seller or a brand was shown by name when signing"),
    "consent.revoked": Derived(_revoked, "whether consent was revoked by now"),
    "dnc.listed": Derived(_listed, "whether a national or state list has the number"),
    "dnc.registry_days": Derived(_registry_days, "how many days old the registry's version is, by UTC dates"),
    "dnc.relationship": Derived(_ebr, "an inquiry within 3 or a transaction within 18 months with this seller"),
    "history.reply": Derived(_said, "revoke, review or none: the gravest meaning of the person's replies"),
    "history.opt_outs": Derived(_opt_outs, "scope and moment of each request for an end"),
    "history.phone_opt_out": Derived(lambda e: _opted_out(e, "phone"), "whether calls and texts were ended"),
    "history.email_opt_out": Derived(lambda e: _opted_out(e, "email"), "whether e-mail was ended"),
    "history.full_opt_out": Derived(lambda e: _opted_out(e, "all"), "whether everything was ended"),
    "history.solicitations": Derived(_solicitations, "marketing calls and texts of the last 24 hours, anybody's"),
    "history.refused": Derived(lambda e: bool(e.past("refusal")), "whether the person ever declined on a call"),
    "history.refused_lately": Derived(_refused_lately, "whether 12 months since are not yet over"),
    "history.objected": Derived(lambda e: bool(e.past("objection")), "whether the person objected to marketing"),
    "confirmation.due": Derived(_confirmation_due, "whether the one confirmation of an opt-out may still go"),
    "medicare.permission": Derived(_permitted, "whether permission to contact stands; absent if nobody knows"),
    "inquiry.asked": Derived(_asked_for, "whether the person asked first; absent if nobody says"),
}
"""The derived names about contact."""
