"""What follows from a case about handing a lead on: papers, certificates, opt-ins, pages, features.

Derived evidence of :mod:`leadmill.policy.evidence`, like :mod:`leadmill.policy.contacts`.
"""

import re
from datetime import datetime, timedelta

from leadmill.policy.calendars import within_months
from leadmill.policy.contacts import recipient_names
from leadmill.policy.evidence import Derived, Evidence, day_in_text, hours_since
from leadmill.policy.rules import plain
from leadmill.policy.shapes import number_in

_ADVERSARIES = ("CN", "RU", "IR", "KP")
_MULTIPLIER = re.compile(r"zip.*multiplier")
_LEGAL_RANK = frozenset(("state", "county", "zip", "distance", "practice_area"))
_ACA = ("scope", "purpose", "duration", "date", "names", "rescind")
_CALLS = ("inbound_call", "outbound_call")


def _in_house(e: Evidence) -> bool:
    return e.text("action") == "route" and e.text("recipient.kind") == "in_house"


def _sale(e: Evidence) -> bool:
    return e.text("action") == "sell" or (e.text("action") == "route" and not _in_house(e))


def _contract(e: Evidence) -> bool:
    signed = day_in_text(e.get("recipient.contract.signed"))
    return e.flag("recipient.contract.privacy_terms") is True and signed is not None and signed <= e.today


def _directed(e: Evidence) -> bool:
    """Whether the person directed the disclosure to this recipient after the signal."""
    signal, at = e.instant("facts.gpc.at"), e.instant("consent.directed_disclosure.at")
    named = {plain(name) for name in e.texts("consent.directed_disclosure.to")}
    later = signal is not None and at is not None and signal < at <= e.now
    return later and not recipient_names(e).isdisjoint(named)


def _categories(e: Evidence) -> list[str]:
    found = dict.fromkeys("health" if item == "injury" else item for item in e.texts("lead.sensitive"))
    return list(found)


def _unconsented(e: Evidence) -> list[str]:
    agreed = {"health" if item == "injury" else item for item in e.texts("consent.sensitive_opt_in")}
    return [item for item in e.get("sensitive.categories") if item not in agreed]


def _authorized(e: Evidence) -> bool:
    """A signed authorization of the sale that names this recipient and is not older than twelve months."""
    if e.flag("consent.health.sale_authorization.signed") is not True:
        return False
    at = e.instant("consent.health.sale_authorization.signed_at")
    buyers = {plain(name) for name in e.texts("consent.health.sale_authorization.buyer")}
    if at is None or recipient_names(e).isdisjoint(buyers):
        return False
    return within_months(at, e.now, 12, e.where.days)


def _foreign_share(e: Evidence) -> float | None:
    if e.get("recipient.ownership") is None:
        return None
    shares = [0.0]
    for owner in e.tables("recipient.ownership"):
        country = owner.get("country")
        if not isinstance(country, str) or not country.strip():
            return None
        if country.strip().upper() in _ADVERSARIES:
            share = number_in(owner.get("share"))
            if share is None:
                return None
            shares.append(share)
    return sum(shares)


def certificate_state(vendor: str | None, made: datetime | None, kept: datetime | None, now: datetime) -> str | None:
    """``unretained`` while there is time, ``expired`` when there is none left, ``kept`` else; None where nobody can
    tell. Only TrustedForm's are let go of so soon."""
    if vendor is None or vendor.casefold().replace(" ", "") != "trustedform":
        return "kept"
    if made is None:
        return None
    if kept is not None and kept <= now:
        return "kept" if kept - made <= _CERTIFICATE_LIVES else "expired"
    return "unretained" if now - made <= _CERTIFICATE_LIVES else "expired"


def _certificate(e: Evidence) -> str | None:
    made, kept = e.instant("consent.certificate.created_at"), e.instant("consent.certificate.retained_at")
    return certificate_state(e.text("consent.certificate.vendor"), made, kept, e.now)


_CERTIFICATE_LIVES = timedelta(hours=72)


def _chosen(e: Evidence) -> bool:
    """Whether the person chose this recipient by itself, by an option that was off."""
    names = recipient_names(e)
    return any(
        plain(str(one.get("name", ""))) in names
        and one.get("separately_chosen") is True
        and one.get("default_on") is False
        for one in e.tables("consent.tpmo")
    )


def _sold_elsewhere(e: Evidence) -> bool:
    mine = e.get("recipient.id")
    return any(event.get("to") != mine for event in e.past("sale"))


def _carries(e: Evidence, field: str) -> bool:
    """Whether the field leaves the house: everything does where a handed-on lead says nothing else."""
    if e.get("payload.fields") is None:
        return e.text("action") in ("route", "sell")
    return field in e.texts("payload.fields")


def _unnoticed(e: Evidence) -> list[str]:
    told = set(e.texts("page.notice_fields"))
    return [field for field in e.texts("page.collects") if field not in told]


def _replay_early(e: Evidence) -> bool:
    loaded = e.instant("page.replay.loaded_at")
    if loaded is None:
        return False
    agreed = e.instant("page.replay.consented_at")
    return agreed is None or loaded < agreed


def _more_clicks(e: Evidence) -> float | None:
    accept, decline = e.number("page.accept_clicks"), e.number("page.decline_clicks")
    return None if accept is None or decline is None else decline - accept


def _all_features(e: Evidence) -> list[str]:
    """What a model or a ping looks at."""
    action = e.text("action")
    if action == "rank":
        return []
    more = e.texts("payload.fields") if action == "ping" else []
    return [item.strip().lower() for item in (*e.texts("features"), *more)]


def _soa_hours(e: Evidence) -> float | None:
    signed, at = e.instant("facts.appointment.soa_at"), e.instant("facts.appointment.at")
    return None if signed is None or at is None else (at - signed) / timedelta(hours=1)


def _sale_threshold(e: Evidence) -> bool:
    """Whether a home sale is large enough for the right to cancel; one of unknown size is."""
    amount = e.number("facts.home_sale.amount")
    least = 130.0 if e.text("facts.home_sale.place") == "temporary" else 25.0
    return amount is None or amount >= least


def _buyer_age(e: Evidence) -> float | None:
    stated = e.number("facts.home_sale.buyer_age")
    return stated if stated is not None else e.number("lead.age")


def _bar(e: Evidence) -> bool:
    return any(one.get("kind") == "bar" and one.get("active") is True for one in e.tables("recipient.licences"))


def _property_state(e: Evidence) -> list[str]:
    stated = e.text("lead.fields.property_state")
    return [stated.upper()] if stated else list(e.where.home)


def _purpose_differs(e: Evidence) -> bool:
    asked, wanted = e.text("lead.purpose"), e.text("recipient.vertical")
    return asked is not None and wanted is not None and asked != wanted


def _ranking(e: Evidence) -> list[str]:
    return [item.strip().lower() for item in e.texts("rank_features")] if e.text("action") == "rank" else []


DEALINGS = {
    "purpose.differs": Derived(_purpose_differs, "whether the lead was given for something else than it is wanted for"),
    "places.any": Derived(
        lambda e: list(dict.fromkeys((*e.where.home, *e.get("property.states")))), "home and property states"
    ),
    "sale": Derived(_sale, "whether the lead goes to somebody outside the house"),
    "recipient.contracted": Derived(_contract, "whether a signed contract holds the privacy terms"),
    "recipient.foreign_share": Derived(_foreign_share, "per cent owned from CN, RU, IR and KP; absent if unknown"),
    "recipient.bar_active": Derived(_bar, "whether it names a lawyer admitted somewhere"),
    "property.states": Derived(_property_state, "where the property lies, else where the person lives"),
    "gpc.directed_later": Derived(_directed, "whether the person directed this disclosure after the signal"),
    "drop.hours": Derived(lambda e: hours_since(e.instant("facts.drop.last_pull_at"), e.now), "since the last pull"),
    "sensitive.categories": Derived(_categories, "the categories in the data, an injury as health"),
    "sensitive.unconsented": Derived(_unconsented, "those without an opt-in"),
    "health.sale_authorized": Derived(_authorized, "a signed authorization of up to 12 months names this recipient"),
    "certificate.state": Derived(_certificate, "kept, unretained or expired; absent if nobody can tell"),
    "tpmo.chosen": Derived(_chosen, "whether the person chose this recipient by itself, by an option that was off"),
    "aca.whole": Derived(lambda e: all(e.get(f"consent.aca.{part}") for part in _ACA), "whether no element lacks"),
    "sold_elsewhere": Derived(_sold_elsewhere, "whether another recipient bought the lead before"),
    "carries.email": Derived(lambda e: _carries(e, "email"), "whether the e-mail address leaves the house"),
    "carries.phone": Derived(lambda e: _carries(e, "phone"), "whether the phone number leaves the house"),
    "carries.case_facts": Derived(lambda e: _carries(e, "case_facts"), "whether the facts of the case do"),
    "page.unnoticed": Derived(_unnoticed, "fields taken in that the notice does not name"),
    "page.replay_early": Derived(_replay_early, "whether the replay loaded before the person chose"),
    "page.more_clicks": Derived(_more_clicks, "how many more clicks it takes to decline than to accept"),
    "features.all": Derived(_all_features, "what a model or a ping looks at"),
    "features.ranking": Derived(_ranking, "what a ranking looks at"),
    "features.multiplies_zip": Derived(
        lambda e: any(_MULTIPLIER.fullmatch(item) for item in e.get("features.all")), "a multiplier by ZIP"
    ),
    "rank.beyond_legal": Derived(
        lambda e: any(item.strip().lower() not in _LEGAL_RANK for item in e.texts("rank_features")),
        "a criterion other than place and practice area",
    ),
    "from_call": Derived(
        lambda e: (e.text("lead.inquiry.source_kind") or "").casefold() in _CALLS, "whether the lead came of a call"
    ),
    "soa.hours_before": Derived(_soa_hours, "hours from the scope of appointment to the appointment"),
    "home_sale.covered": Derived(_sale_threshold, "whether the sale is large enough for the right to cancel"),
    "home_sale.buyer_age": Derived(_buyer_age, "the buyer's age, else the lead's"),
}
"""The derived names about handing a lead on."""
