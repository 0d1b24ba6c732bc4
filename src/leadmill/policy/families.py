"""Kinds of evidence that may be wholly absent from a lead, because nobody here collects them.

Called by the law engine when it judges what really happens. A written case is judged by every rule, so whatever it
leaves out is missing. A lead is judged by the rules whose kinds of evidence it comes with, and by those that a buyer or
the house demands: no lead is held for what its installation has no way to find out, unless somebody insists. Pure.
"""

from collections.abc import Iterable
from typing import get_args

from msgspec import Struct

from leadmill.core.predicates import fields_of, parse
from leadmill.parties import Demand
from leadmill.policy.model import LawRule
from leadmill.policy.provisions import Standing, Wait


class Family(Struct, frozen=True):
    """A kind of evidence: the ``names`` that rules know it by, the ``witness`` whose presence shows that it came, and
    what it ``holds``."""

    names: tuple[str, ...]
    witness: str
    holds: str


FAMILIES: dict[Demand, Family] = {
    "aca": Family(("consent.aca", "aca.whole"), "consent.aca", "what consent to help with health coverage says"),
    "authorization": Family(
        ("consent.health", "health.sale_authorized"), "consent.health", "consent to and authorization of health data"
    ),
    "certificate": Family(
        ("consent.certificate", "certificate.state"), "consent.certificate", "a vendor's certificate of consent"
    ),
    "certification": Family(("facts.platform",), "facts.platform", "what the house itself is certified for"),
    "choices": Family(
        ("page.more_clicks", "page.accept_clicks", "page.decline_clicks"),
        "page.accept_clicks",
        "how many clicks each choice of a page takes",
    ),
    "complaints": Family(
        ("facts.source.open_fabricated_consent_complaints",),
        "facts.source.open_fabricated_consent_complaints",
        "open complaints against the source",
    ),
    "conflicts": Family(
        ("recipient.conflicts_cleared",), "recipient.conflicts_cleared", "whether a law firm cleared conflicts"
    ),
    "disclosure": Family(
        ("facts.solar_disclosure_given",),
        "facts.solar_disclosure_given",
        "whether California's solar disclosure was given",
    ),
    "dnc": Family(("facts.dnc.listed",), "facts.dnc.listed", "the national do-not-call registry"),
    "drop": Family(("facts.drop", "drop.hours"), "facts.drop", "California's deletion list"),
    "gpc": Family(("facts.gpc.signal",), "facts.gpc.signal", "whether the browser sent Global Privacy Control"),
    "licence_age": Family(("licence.age",), "licence.age", "when licences were last looked up"),
    "licence_line": Family(("licence.line",), "licence.line", "lines and classes of licences"),
    "line": Family(("lead.line_type",), "lead.line_type", "what kind of line a number is"),
    "mail": Family(
        (
            *("channel.email.postal_address", "channel.email.opt_out_visible", "channel.email.one_click"),
            *("facts.mail.daily_volume", "facts.mail.spam_rate"),
        ),
        "channel.email.postal_address",
        "what each of our messages carries, and how our mail stands",
    ),
    "notice": Family(
        ("page.unnoticed", "page.notice_fields"), "page.notice_fields", "which fields a page's notice names"
    ),
    "ownership": Family(("recipient.foreign_share",), "recipient.ownership", "who owns the recipient"),
    "page": Family(
        ("page.collects", "page.contrast", "page.disclosure_position"),
        "page",
        "how the page looked on which somebody agreed",
    ),
    "place": Family(("lead.state", "home.states"), "lead.state", "the state that the person lives in"),
    "reassigned": Family(("facts.rnd.result",), "facts.rnd.result", "whether the number went to somebody else"),
    "recording": Family(("facts.recording",), "facts.recording", "recordings of calls"),
    "replay": Family(
        ("page.replay", "page.replay_early"),
        "page.replay.asked",
        "whether a visit's recording waited for a choice",
    ),
    "state_dnc": Family(
        ("facts.dnc.state_listed",), "facts.dnc.state_listed", "the do-not-call lists of states that keep one"
    ),
    "tpmo": Family(("tpmo.chosen",), "consent.tpmo", "which recipients the person chose one by one"),
}
"""Every kind by the word that ``demands`` knows it by."""

EVERY: frozenset[Demand] = frozenset(get_args(Demand))

_BY_NAME: dict[str, Demand] = {name: kind for kind, family in FAMILIES.items() for name in family.names}


def family_of(name: str) -> Demand | None:
    """The kind that a name of evidence belongs to, None where it is of none."""
    parts = name.removeprefix("given.").split(".")
    for length in range(len(parts), 0, -1):
        found = _BY_NAME.get(".".join(parts[:length]))
        if found is not None:
            return found
    return None


def names_in(one: LawRule | Standing) -> frozenset[str]:
    """The names that a rule or a provision looks at."""
    if isinstance(one, LawRule):
        return fields_of(parse(list(one.when), f"rule {one.id}")) | frozenset(one.absent)
    more = (one.since,) if isinstance(one, Wait) else ()
    return fields_of(one.when) | frozenset(more)


def families_in(names: Iterable[str]) -> frozenset[Demand]:
    """The kinds that any of these names belong to."""
    return frozenset(kind for name in names if (kind := family_of(name)) is not None)
