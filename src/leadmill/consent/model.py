"""The proof of what a person was shown and agreed to.

Built by the step ``Prove`` from a lead and what came with it; ``policy`` is what decides whether it suffices.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal

from msgspec import field

from leadmill.core.case import Evidence


class Proof(Evidence, frozen=True, kw_only=True):
    """What was shown and agreed, as far as it is known.

    ``kind`` is ``written`` where the text shown is known, ``none`` otherwise. ``text_sha256`` is the hex digest of
    the text as it was shown. ``sellers`` are the companies named to the person, ``channels`` the ways of contact
    agreed to (call, text, email), ``refused`` those the person declined. ``box_default`` tells how a box stood before
    the person touched it. ``certificates`` maps a vendor (``trustedform``, ``jornaya``) to its certificate; a
    certificate claimed is not one checked. ``origin`` says who vouches for the text: ``form`` for a published form of
    ours, ``source`` for what a publisher sent.
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
        for vendor in sorted(self.certificates):
            yield f"A {vendor} certificate was presented."
        yield from self.doubts
