"""Provisions weighed against a case: what each table of law finds, and what it defers to.

Called by :mod:`leadmill.policy.decide` with the provisions that concern the case's action and vertical. Pure.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from leadmill.policy.calendars import local_day, midnight
from leadmill.policy.clocks import Deferral, of_moment, of_windows, shuts
from leadmill.policy.evidence import Evidence, day_in_text, hours_since, instant_in
from leadmill.policy.model import Decision, LicenceRule
from leadmill.policy.provisions import Cap, Deadline, Sensitive, Standing, Wait, Window
from leadmill.policy.rules import in_force

CONTACTS = ("call", "text", "email")

Holds = Callable[[Any, datetime], bool]


class Finding(Struct, frozen=True):
    """What a rule or a provision says of a case: the decision, the ids it goes by, where it is written, a word for
    programs and one for people."""

    decision: Decision
    ids: tuple[str, ...]
    citation: str
    reason: str
    says: str
    obligations: tuple[str, ...] = ()


def concerned(states: tuple[str, ...], e: Evidence) -> bool:
    """Whether a provision speaks of the places in the case: those that contact may reach, else where people live."""
    if not states:
        return True
    found = e.where.reached if e.get("action") in CONTACTS else e.where.home
    return any(state in states for state in found) or (not found and "unknown" in states)


def stands(one: Standing, holds: Holds, e: Evidence) -> bool:
    """Whether a provision speaks of this case today."""
    return in_force(one, e.today) and concerned(one.states, e) and holds(e, e.now)


def weigh_windows(
    windows: Mapping[str, Sequence[tuple[Window, Holds]]], e: Evidence
) -> tuple[list[Finding], Deferral | None]:
    """The windows that are shut, and all that apply as one deferral; ``windows`` by state. A window's dates are those
    of its local day."""
    found = [
        window
        for state in ("US", *(e.where.reached or ("unknown",)))
        for window, holds in windows.get(state, ())
        if holds(e, e.now)
    ]
    if not found:
        return [], None
    calendar, zones = e.setting.calendar, e.where.zones
    shut = [window for window in found if any(shuts(window, zone, e.now, calendar) for zone in zones)]
    more = ("TEL-03", "TZ-1") if len(zones) > 1 else ("TEL-03",)
    findings = [Finding("defer", (window.id, *more), window.citation, "outside_hours", window.says) for window in shut]
    return findings, of_windows(found, zones, calendar)


def weigh_cap(cap: Cap, e: Evidence) -> Finding | None:
    """The cap, where it is reached."""
    if e.get("history.solicitations") < cap.most:
        return None
    return Finding("deny", ("ST-CAP", cap.id), cap.citation, "frequency", cap.says)


def weigh_wait(wait: Wait, e: Evidence) -> tuple[Finding, Deferral] | None:
    """The wait, where it is not over."""
    value = e.get(wait.since)
    until = None
    for zone in e.where.zones if e.get("action") in CONTACTS else e.where.days:
        if isinstance(value, str) and len(value) == 10:
            began = day_in_text(value)
        else:
            then = instant_in(value)
            began = local_day(then, zone) if then else None
        if began is None:
            e.garbled = e.garbled or value is not None
            return None
        last = e.setting.calendar.add(began, wait.days, wait.counting)
        ends = midnight(last + timedelta(days=1), zone)
        until = ends if until is None or ends > until else until
    if until is None or until <= e.now:
        return None
    reason = "accident_hold" if e.get("action") in CONTACTS else "cooling_off"
    return Finding("defer", (wait.id,), wait.citation, reason, wait.says), of_moment(until)


def weigh_deadline(deadline: Deadline, e: Evidence) -> Finding | None:
    """The term, where it is over."""
    received = e.instant("facts.request.received_at")
    if received is None:
        return None
    calendar = e.setting.calendar
    told = e.instant("facts.request.extension_noticed_at")
    for zone in e.where.days or ("UTC",):
        day = local_day(received, zone)
        last = calendar.add(day, deadline.days, deadline.counting)
        if deadline.more and told is not None and told <= e.now and local_day(told, zone) <= last:
            last = calendar.add(last, deadline.more, deadline.counting)
        if local_day(e.now, zone) > last:
            ident = deadline.id.replace("{state}", next(iter(e.where.home), "US"))
            return Finding("deny", (ident,), deadline.citation, "request_overdue", deadline.says)
    return None


def weigh_sensitive(one: Sensitive, e: Evidence) -> Finding | None:
    """What the sale of sensitive data lacks."""

    def concerned_by(categories: list[str]) -> list[str]:
        return [
            item for item in categories if item not in one.besides and (not one.categories or item in one.categories)
        ]

    if one.needs == "opt_in":
        lacks = bool(concerned_by(e.get("sensitive.unconsented")))
    else:
        lacks = bool(concerned_by(e.get("sensitive.categories")))
        if one.needs == "notice":
            lacks = lacks and e.flag("consent.sensitive_notice") is not True
    if not lacks:
        return None
    reason = {"opt_in": "sensitive_opt_in", "notice": "sensitive_notice", "banned": "sensitive_sale_banned"}[one.needs]
    return Finding("deny", (one.id,), one.citation, reason, one.says)


def weigh_licence(rule: LicenceRule, e: Evidence, closed: Set[str] = frozenset()) -> Finding | None:
    """The licence that the recipient lacks, or whose look-up is too old. ``closed`` may hold ``licence_age``, which
    leaves the age alone, and ``licence_line``, by which a licence that declares neither line nor class has them all."""
    if not in_force(rule, e.today):
        return None
    places = e.get("property.states") if rule.place == "property" else e.where.home
    licences = e.tables("recipient.licences")
    for state in places:
        if rule.states and state not in rule.states:
            continue
        held = [one for one in licences if _fits(one, rule, state, "licence_line" in closed)]
        if not held:
            return Finding("deny", (rule.id,), rule.citation, "no_licence", rule.says)
        if (
            rule.fresh_hours
            and "licence_age" not in closed
            and not any(_fresh(one, rule.fresh_hours, e) for one in held)
        ):
            says = f"The licence was last looked up more than {rule.fresh_hours} hours ago."
            return Finding("review", (rule.id, "ENG-3"), rule.citation, "licence_stale", says)
    return None


def _fits(one: Mapping[str, Any], rule: LicenceRule, state: str, lenient: bool) -> bool:
    lines, kind_of = one.get("lines"), one.get("class")
    return (
        one.get("kind") in rule.kinds
        and one.get("active") is True
        and str(one.get("state", "")).upper() == state
        and (not rule.classes or kind_of in rule.classes or (lenient and not kind_of))
        and (
            not rule.lines
            or (isinstance(lines, list) and any(line in lines for line in rule.lines))
            or (lenient and not lines)
        )
    )


def _fresh(one: Mapping[str, Any], hours: int, e: Evidence) -> bool:
    age = hours_since(instant_in(one.get("checked_at")), e.now)
    return age is not None and age <= hours
