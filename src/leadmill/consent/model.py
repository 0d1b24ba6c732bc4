"""The proof of what a person was shown and agreed to, and how the page was seen on which they did.

Built by the step ``Prove`` from a lead and what came with it; ``policy`` is what decides whether it suffices.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal

from msgspec import Struct, field

from leadmill.consent.seen import Seen
from leadmill.core.case import Evidence
from leadmill.core.events import Event


class Proof(Evidence, frozen=True, kw_only=True):
    """What was shown and agreed, as far as it is known.

    ``kind`` is ``written`` where the text shown is known, ``none`` otherwise. ``text_sha256`` is the hex digest of
    the text as it was shown. ``sellers`` are the companies named to the person, ``channels`` the ways of contact
    agreed to (call, text, email), ``refused`` those the person declined. ``box_default`` tells how a box stood before
    the person touched it. ``certificates`` maps a vendor (``trustedform``, ``jornaya``) to its certificate; a
    certificate claimed is not one checked. ``directed_to`` are the companies to whom the person told us to give the
    lead, ``directed_at`` when: nothing else outweighs an earlier opt-out of sale. ``origin`` says who vouches for the
    text: ``form`` for a published form of ours, ``source`` for what a publisher sent.
    """

    kind: Literal["written", "none"]
    text: str = ""
    text_sha256: str = ""
    version: str | None = None
    given_at: datetime | None = None
    url: str | None = None
    sellers: list[str] = field(default_factory=list)
    sellers_display: Literal["visible", "hyperlink"] | None = None
    channels: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    box_default: Literal["checked", "unchecked", "none"] | None = None
    obtained_by: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    certificates: dict[str, str] = field(default_factory=dict)
    sensitive_opt_in: list[str] = field(default_factory=list)
    origin: Literal["form", "source"] = "source"
    doubts: list[str] = field(default_factory=list)
    directed_to: list[str] = field(default_factory=list)
    directed_at: datetime | None = None

    personal: ClassVar[bool] = True

    def tell(self) -> Iterable[str]:
        """What is proven, without the address or the browser of the person."""
        if self.kind == "none":
            yield "No proof of consent came with the lead."
        else:
            named = ", ".join(self.sellers) if self.sellers else "nobody"
            ways = ", ".join(self.channels) or "no channel"
            yield f"Agreed in writing to {ways}; companies named: {named.rstrip('.')}."
            yield f"Text shown: {len(self.text)} characters, digest {self.text_sha256[:12]}."
        if self.refused:
            yield f"Declined: {', '.join(self.refused)}."
        if self.directed_to:
            when = f" on {self.directed_at:%Y-%m-%d}" if self.directed_at is not None else ""
            yield f"Told us{when} to give the lead to: {', '.join(self.directed_to).rstrip('.')}."
        for vendor in sorted(self.certificates):
            yield f"A {vendor} certificate was presented."
        yield from self.doubts


Sight = Literal["seen", "served", "claimed"]
"""How a certificate knows of the page: the page's own script told of it; we served it and its script did not run; or
somebody else vouches for it."""


class Witnessed(Evidence, frozen=True, kw_only=True):
    """How a page of ours was seen by whoever answered it. ``seen`` is None where its script did not run. The snapshot
    is the page's document without any answer: the hex SHA-256 of its text and its length in characters, empty where
    none is kept. ``faithful`` says whether the text on the page was the published one, None where nobody saw it."""

    served_at: datetime
    seen: Seen | None = None
    snapshot_sha256: str = ""
    snapshot_size: int = 0
    faithful: bool | None = None
    asked: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    personal: ClassVar[bool] = True

    @property
    def recording(self) -> bool:
        """Whether a recording of the visit may have come in."""
        told = self.seen.recorded if self.seen else None
        return told is not None and told.loaded_ms is not None and not told.stopped

    def tell(self) -> Iterable[str]:
        """What was seen, in short."""
        shown = self.seen.shown if self.seen else None
        if self.seen is None:
            yield "Nobody saw the page: its script did not run."
        elif shown is not None:
            where = "above" if shown.above_button else "below"
            ratio = f"contrast {shown.contrast:.1f}" if shown.contrast is not None else "a contrast nobody measured"
            yield (
                f"The text stood {where} the button in {shown.font_px:.0f} px with {ratio},"
                f" in view for {shown.visible_ms / 1000:.1f} s."
            )
        yield from self.doubts


class Certified(Evidence, frozen=True):
    """That there is a certificate of consent, and its digest: the hex SHA-256 of its core. It holds a secret number of
    its own, so that nobody can guess at what it says."""

    digest: str
    sight: Sight

    personal: ClassVar[bool] = False

    def tell(self) -> Iterable[str]:
        """The digest's beginning."""
        yield f"A certificate of consent was made, digest {self.digest[:12]}."


class ReplayKept(Event, frozen=True, kw_only=True, tag="consent.replay"):
    """What became of the recording of the visit: kept, with the hex SHA-256 of its events, how many they are and how
    many seconds they span; or let go, and ``why``."""

    sha256: str = ""
    events: int = 0
    seconds: float = 0
    why: str = ""

    def tell(self) -> Iterable[str]:
        """One sentence."""
        if self.sha256:
            yield f"The visit's recording is kept: {self.events} events over {self.seconds:.0f} s, {self.sha256[:12]}."
        else:
            yield f"The visit's recording was let go: {self.why}."


class StoredReplay(Struct, frozen=True):
    """A lead's recording as it is kept: its events as one JSON list, compressed and sealed with the person's key, and
    the SHA-256 of the list."""

    lead_id: str
    person_id: str
    kept_at: datetime
    digest: bytes
    sealed: bytes
