"""Where a request stands, in words for the person who made it.

Used by the pages of ``/privacy``. Who came by the link of a letter sees the answer; who came by the link of the page
that was answered sees only that the request is there and how it goes on.
"""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from msgspec import Struct

from leadmill.flow.rights import ASKED
from leadmill.privacy import (
    GROUNDS,
    LINK_HOLDS,
    DeletionCertificate,
    Entry,
    PrivacyAnswer,
    PrivacyRequest,
    last_day,
    open_answer,
    open_note,
    open_told,
)
from leadmill.runtime.vault import Vault

STATES = {
    "AK": "Alaska", "AL": "Alabama", "AR": "Arkansas", "AZ": "Arizona", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DC": "District of Columbia", "DE": "Delaware", "FL": "Florida", "GA": "Georgia",
    "GU": "Guam", "HI": "Hawaii", "IA": "Iowa", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "KS": "Kansas",
    "KY": "Kentucky", "LA": "Louisiana", "MA": "Massachusetts", "MD": "Maryland", "ME": "Maine", "MI": "Michigan",
    "MN": "Minnesota", "MO": "Missouri", "MS": "Mississippi", "MT": "Montana", "NC": "North Carolina",
    "ND": "North Dakota", "NE": "Nebraska", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico",
    "NV": "Nevada", "NY": "New York", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
    "PR": "Puerto Rico", "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee",
    "TX": "Texas", "UT": "Utah", "VA": "Virginia", "VI": "U.S. Virgin Islands", "VT": "Vermont", "WA": "Washington",
    "WI": "Wisconsin", "WV": "West Virginia", "WY": "Wyoming", "ELSEWHERE": "Outside the United States",
}  # fmt: skip
"""Where somebody may live, by the code that requests keep."""

_SAYS = {
    "unconfirmed": "We wait for you to confirm it.",
    "open": "It is confirmed, and somebody of ours is looking after it.",
    "carrying": "It is being carried out.",
    "answered": "It is answered.",
    "denied": "We cannot do what you asked.",
    "appealed": "We are looking at it once more.",
    "lapsed": "It was not confirmed in time, so nothing was done. You can make it again at any time.",
}
_STEPS = {
    "received": "Your request came in",
    "acknowledged": "We told you that it came in",
    "confirmed_reasonable": "It was confirmed that it is you",
    "confirmed_high": "It was confirmed that it is you",
    "extended": "We take more time",
    "appeal_extended": "We take more time for your appeal",
    "begun": "We began to carry it out",
    "fulfilled": "It was carried out",
    "nothing_held": "It was answered: we hold nothing about you",
    "denied": "We refused it",
    "appealed": "You appealed",
    "appeal_granted": "Your appeal was granted",
    "appeal_denied": "Your appeal was refused",
    "lapsed": "It was closed",
}
_READ = ("extended", "appeal_extended", "denied", "appeal_granted", "appeal_denied")
"""The steps whose reason the person reads."""

_CLOCKED = ("unconfirmed", "open", "carrying")


class Step(Struct, frozen=True):
    """One thing that happened, and why where somebody said so."""

    at: datetime
    says: str
    why: str


class Shown(Struct, frozen=True, kw_only=True):
    """A request as its person sees it."""

    id: str
    kind: str
    asked: str
    state: str
    says: str
    due: date | None
    rule: str
    steps: list[Step]
    may_confirm: bool
    may_appeal: bool
    letter: bool
    agent: str
    ground: str
    citation: str
    answer: PrivacyAnswer | None
    certificate: DeletionCertificate | None
    has_answer: bool


def show(
    vault: Vault, one: PrivacyRequest, notes: Sequence[Entry], letter: bool, appeals: bool, now: datetime
) -> Shown:  # fmt: skip
    """The request, with its answer where one came by a ``letter``; ``appeals`` says whether the state gives an
    appeal."""
    due = one.appeal_due_at if one.state == "appealed" else one.answer_due_at if one.state in _CLOCKED else None
    plain = open_answer(vault, one) if letter else None
    ground = GROUNDS.get(one.ground or "") if letter else None
    return Shown(
        id=one.id,
        kind=one.kind,
        asked=ASKED[one.kind],
        state=one.state,
        says=_SAYS[one.state],
        due=last_day(due) if due is not None else None,
        rule=one.citation,
        steps=[
            Step(note.at, _STEPS[note.what], open_note(vault, one, note.note) if letter and note.what in _READ else "")
            for note in notes
            if note.what in _STEPS
        ],
        may_confirm=letter and one.state == "unconfirmed" and now <= one.received_at + LINK_HOLDS,
        may_appeal=letter and one.state == "denied" and appeals and one.appeal_decided_at is None,
        letter=letter,
        agent=open_told(vault, one).agent if letter else "",
        ground=ground.says if ground is not None and one.state == "denied" else "",
        citation=one.citation if one.state == "denied" else "",
        answer=msgspec.json.decode(plain, type=PrivacyAnswer) if plain is not None else None,
        certificate=msgspec.json.decode(one.certificate, type=DeletionCertificate)
        if one.certificate is not None and letter
        else None,
        has_answer=one.answer is not None,
    )
