"""How a page was seen, under the names that the law packs ask by (docs/law/names.md). Pure.

For whoever puts a case to the law (``policy check`` takes these names) and for the walk's own station. What is not
known has no name here: a rule that needs it says what then.
"""

from datetime import timedelta
from typing import Any

from leadmill.consent.model import Witnessed


def page_evidence(seen: Witnessed) -> dict[str, Any]:
    """What is known of the page on which somebody agreed."""
    found: dict[str, Any] = {"page.collects": list(seen.asked)}
    if seen.snapshot_sha256 and seen.faithful:
        found["consent.certificate.rendered_request"] = True
    if seen.seen is None:
        return found
    control, shown, told = seen.seen.control, seen.seen.shown, seen.seen.recorded
    if control is not None and not control.kept:  # a page that was loaded again shows the person's own tick
        found["page.box_default"] = control.default
    if shown is not None and shown.hidden:
        found["page.disclosure_position"] = "hidden"
    elif shown is not None:
        found["page.disclosure_position"] = "above_button" if shown.above_button else "below_button"
        if shown.contrast is not None:
            found["page.contrast"] = shown.contrast
    if told is not None and told.loaded_ms is not None:
        found["page.replay.loaded_at"] = seen.seen.began_at + timedelta(milliseconds=told.loaded_ms)
        if told.chosen_ms is not None:
            found["page.replay.consented_at"] = seen.seen.began_at + timedelta(milliseconds=told.chosen_ms)
    return found
