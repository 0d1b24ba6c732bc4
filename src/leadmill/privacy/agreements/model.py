"""The words of agreements. Read by the page, the data map and the review."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

Partner = Literal["buyer", "team", "provider", "messenger"]
"""With whom: a recipient of leads, or a plug-in that something personal leaves by."""

Covers = Literal["privacy", "processor", "no_resale", "breach", "deletion", "audit", "subprocessors", "transfer"]
"""What an agreement settles."""

COVERS: Mapping[Covers, str] = {
    "privacy": "limited purposes, the same protection, notice and stop (Cal. Civ. Code 1798.100(d); 11 CCR 7053)",
    "processor": "works on instructions alone, confidentially (11 CCR 7051; GDPR Art. 28)",
    "no_resale": "does not sell or pass on what it gets",
    "breach": "tells of a breach within a stated time",
    "deletion": "deletes when told to, and at the end",
    "audit": "lets itself be looked at",
    "subprocessors": "names whom it passes data to, and binds them alike",
    "transfer": "covers data that goes to another country (GDPR Art. 46)",
}

NEEDS: Mapping[Partner, tuple[Covers, ...]] = {
    "buyer": ("privacy",),
    "team": (),
    "provider": ("processor",),
    "messenger": ("processor",),
}
"""What must be agreed with each at least. Teams are our own people. Who is asked for a bid sees nothing
personal."""


class Agreement(Struct, frozen=True, kw_only=True):
    """One agreement as declared: an ``[[agreement]]`` table. ``partner`` and ``party`` say with whom, ``version`` which
    text was signed, ``covers`` what it settles, ``document`` where the text lies and ``sha256`` which bytes it is."""

    id: str
    partner: Partner
    party: str
    title: str
    version: str
    signed: date
    ends: date | None = None
    covers: tuple[Covers, ...] = ()
    document: str = ""
    sha256: str = ""
    retired: bool = False

    def stands(self, day: date) -> bool:
        """Whether it is in force on a day."""
        return not self.retired and self.signed <= day and (self.ends is None or day <= self.ends)


class Standing(Struct, frozen=True, kw_only=True):
    """How it stands with one partner: the agreements in force, what they cover, what is ``lacking``, the first day on
    which one ends (``ends``) and whether that is ``soon``. ``refused`` says that the policy sells it nothing."""

    partner: Partner
    id: str
    name: str
    agreements: tuple[Agreement, ...] = ()
    covers: tuple[Covers, ...] = ()
    lacking: tuple[Covers, ...] = ()
    ends: date | None = None
    soon: bool = False
    lapsed: bool = False
    refused: bool = False
    contract: str = ""
