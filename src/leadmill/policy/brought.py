"""What a lead brings along that the law asks for: the browser's wish, the page it came by, papers, directions.

Called by those who gather a lead's traits, and by ``flow``, which keeps the browser's wish for the person. What a lead
came without is None, never a guess. Pure.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from leadmill.capture import Lead, Submission
from leadmill.consent import Proof, Witnessed, page_evidence, read_moment
from leadmill.parties import Source

_ASKED = frozenset(("publisher_form", "own_form", "inbound_call", "job_board"))
"""How leads come where the person asked first; by other ways somebody else began."""


class Page(Struct, frozen=True):
    """The page on which somebody agreed, as far as anybody saw it: what it takes in, how a box stood, where the text
    stood and with what contrast; ``asked`` says that the recording of the visit waited for a choice, ``early`` that it
    was loaded before that."""

    collects: tuple[str, ...] = ()
    box: str | None = None
    position: str | None = None
    contrast: float | None = None
    asked: bool = False
    early: bool = False

    def document(self) -> dict[str, Any]:
        """The page as cases tell it."""
        found = {
            "collects": list(self.collects) or None,
            "box_default": self.box,
            "disclosure_position": self.position,
            "contrast": self.contrast,
            "replay": {"asked": True} if self.asked else None,
        }
        return {name: value for name, value in found.items() if value is not None}


class Papers(Struct, frozen=True):
    """What somebody signed or was given, as it came with a lead: the elements of consent to help with health coverage
    (``aca``), consent to health data's being taken in and shared, who may buy them by a signed authorization and since
    when, a signed consent to pass on what a school knows, the solar disclosure, the call's recording."""

    aca: tuple[str, ...] | None = None
    collect: bool | None = None
    share: bool | None = None
    sale_to: tuple[str, ...] = ()
    sale_at: str | None = None
    ferpa: bool | None = None
    disclosure: bool | None = None
    recording: bool | None = None

    def consent(self) -> dict[str, Any]:
        """What of it belongs to the consent."""
        found: dict[str, Any] = {}
        if self.aca is not None:
            found["aca"] = dict.fromkeys(self.aca, True)
        health: dict[str, Any] = {}
        if self.collect is not None:
            health["collect"] = self.collect
        if self.share is not None:
            health["share"] = self.share
        if self.sale_to and self.sale_at is not None:
            health["sale_authorization"] = {"signed": True, "signed_at": self.sale_at, "buyer": list(self.sale_to)}
        if health:
            found["health"] = health
        if self.ferpa is not None:
            found["ferpa_signed"] = self.ferpa
        return found

    def facts(self) -> dict[str, Any]:
        """What of it is a fact."""
        found: dict[str, Any] = {}
        if self.disclosure is not None:
            found["solar_disclosure_given"] = self.disclosure
        if self.recording is not None:
            found["recording"] = {"available": self.recording}
        return found


class Origin(Struct, frozen=True):
    """How a source comes by its leads, what it has certified of them, and how many complaints of made-up consent are
    open against it."""

    came: str = "publisher_form"
    certifies: tuple[str, ...] = ()
    complaints: int | None = None

    @property
    def initiated_by(self) -> str:
        """Who began: the person, or somebody else."""
        return "consumer" if self.came in _ASKED else "platform"


_PUBLISHER = Origin()
OWN = Origin("own_form")
"""A form of ours."""


def origin_of(source: Source) -> Origin:
    """What a source's record says of its leads."""
    return Origin(source.came, source.certifies, source.open_complaints)


def came_by(submission: Submission | None, lead: Lead, sources: Mapping[str, Origin]) -> Origin:
    """A form of ours, or else what the source says, a publisher's form where it says nothing: also where the publisher
    calls itself a house of ours."""
    if submission is not None and submission.channel == "hosted":
        return OWN
    return sources.get(lead.source_id, _PUBLISHER)


def signal_of(lead: Lead, submission: Submission | None, seen: Witnessed | None) -> bool | None:
    """Whether the browser sent Global Privacy Control, by its header, by its script or by the publisher's word; None
    where nobody looked."""
    said = lead.context.get("gpc")
    if said is True or (seen is not None and seen.seen is not None and seen.seen.gpc):
        return True
    if isinstance(said, bool):
        return said
    # A browser that sends the signal sends it with every request.
    return False if submission is not None and submission.channel == "hosted" else None


def page_of(lead: Lead, proof: Proof, seen: Witnessed | None) -> Page | None:
    """The page as its own script saw it, else as its publisher says; None where neither does."""
    if seen is not None:
        return _own_page(proof, seen)
    position, contrast = lead.consent.get("disclosure_position"), _number(lead.consent.get("contrast"))
    if position is None and contrast is None:
        return None
    return Page(
        collects=("not told",),
        box=proof.box_default,
        position=position if isinstance(position, str) else None,
        contrast=_floored(contrast),
    )


def _own_page(proof: Proof, seen: Witnessed) -> Page | None:
    if seen.seen is None:
        return None
    if seen.seen.control is None and seen.seen.shown is None:
        return None  # a form that asks for no consent has no text to look at
    found, told = page_evidence(seen), seen.seen.recorded
    asked = told is not None and told.mode == "ask" and told.loaded_ms is not None
    early = asked and told is not None and not _after(told.loaded_ms, told.chosen_ms, told.earlier)
    return Page(
        collects=tuple(found["page.collects"]) or ("nothing",),
        box=found.get("page.box_default") or proof.box_default or "none",
        position=found.get("page.disclosure_position"),
        contrast=_floored(found.get("page.contrast")),
        asked=asked,
        early=early,
    )


def _after(loaded: int | None, chosen: int | None, earlier: bool) -> bool:
    """Whether the recorder was loaded after the choice, which may have been made on the page before."""
    return earlier if chosen is None else loaded is not None and loaded >= chosen


def _floored(contrast: float | None) -> float | None:
    """A contrast to the lower tenth: few different values, and none that passes which did not."""
    return None if contrast is None else int(contrast * 10) / 10


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


_TOLD = (
    *("aca", "health_collect", "health_share", "health_sale_to", "health_sale_at", "ferpa_signed"),
    "solar_disclosure",
)


def papers_of(lead: Lead) -> Papers | None:
    """The papers that came with a lead; None where none did."""
    said, recording = lead.consent, _flag(lead.context.get("recording"))
    if recording is None and not any(name in said for name in _TOLD):
        return None
    at = read_moment(said.get("health_sale_at"))
    aca = said.get("aca")
    return Papers(
        aca=_texts(aca) if aca is not None else None,
        collect=_flag(said.get("health_collect")),
        share=_flag(said.get("health_share")),
        sale_to=_texts(said.get("health_sale_to")),
        sale_at=at.isoformat() if at is not None else None,
        ferpa=_flag(said.get("ferpa_signed")),
        disclosure=_flag(said.get("solar_disclosure")),
        recording=recording,
    )


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
