"""A certificate of consent in words, and as the file that is given away.

Used by the console and by ``leadmill certificate``; both say the same. The words are drawn from the core alone, so that
the page of the file says nothing that its signed parts do not.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from markupsafe import Markup
from msgspec import Struct

from leadmill.consent import (
    Certificate,
    More,
    Recording,
    ReplayKept,
    Seen,
    canonical,
    contact_hash,
    sealed_page,
    snapshot_attribute,
)
from leadmill.flow.certifying import Made
from leadmill.interfaces.pages import Pages

FOLDER = Path(__file__).parent / "documents"

SIGHTS = {
    "seen": "Seen: the page itself told how it looked when the answer was sent.",
    "served": "Served: the page was ours; nobody saw how it looked, since its script did not run.",
    "claimed": "Claimed: the source handed this over; nobody here saw the page.",
}
_ACTS = {
    "focus": "entered",
    "leave": "left",
    "type": "typed in",
    "paste": "pasted into",
    "fill": "filled in by the browser",
    "answer": "chose an answer to",
    "tick": "ticked",
    "untick": "unticked",
    "submit": "sent the form",
}
_BOX = {"checked": "ticked", "unchecked": "not ticked", "none": "no box"}

NOT_RECORDED = "The visit was not recorded."
DECLINED = "The person did not want to be recorded."
STOPPED = "The person stopped the recording, and it was deleted."
NOT_COME = "The recording has not come in, or was let go with its time."

Value = str | datetime | None


class Group(Struct, frozen=True):
    """Facts of one kind, each with what it is called. ``exact`` says that they are digests and names."""

    title: str
    facts: list[tuple[str, Value]]
    exact: bool = False


def groups_of(core: Certificate, recording: Recording) -> list[Group]:
    """A certificate's facts for people."""
    said, page = core.disclosure, core.page
    found = [
        Group(
            "What was agreed to",
            [
                ("Consent", "In writing" if said.kind == "written" else "None"),
                ("Given", said.given_at),
                ("Companies named", ", ".join(said.sellers)),
                ("Shown as", said.sellers_display),
                ("Ways of contact", ", ".join(said.channels)),
                ("Declined", ", ".join(said.refused)),
                ("Obtained by", said.obtained_by),
                ("Version of the text", said.version),
            ],
        ),
        Group(
            "Where",
            [
                ("Page", page.url),
                ("Came from", page.referrer),
                (
                    "Campaign",
                    ", ".join(f"{name.removeprefix('utm_')} {value}" for name, value in page.campaign.items()),
                ),
                ("Form", f"{page.form}, version {page.form_version}" if page.form else None),
                ("Page served", page.served_at),
                ("Answer came in", core.received_at),
                ("Source", f"{core.source_id} by {core.channel}"),
            ],
        ),
    ]
    if core.seen is not None:
        found += [Group("How it looked", _looks(core.seen)), Group("What the person did", _deeds(core.seen))]
    found.append(Group("The recording", _recorded(recording)))
    return [Group(group.title, [fact for fact in group.facts if fact[1]], group.exact) for group in found]


def marks_of(core: Certificate, more: More, digest: str) -> Group:
    """The digests: what ties the certificate to the journal and to the person."""
    journal = more.journal
    return Group(
        "Digests",
        [
            ("Certificate", digest),
            ("The journal has it", "on page 1, as written" if journal.digest == digest else "within its proof"),
            ("Page of the journal", f"{journal.page}, {journal.hash}" if journal.hash else None),
            ("Text", core.disclosure.text_sha256),
            ("Snapshot", core.snapshot_sha256),
            ("Recording", more.recording.sha256),
            ("Answers, under the secret number", core.person.fields),
            ("Fields answered", ", ".join(core.person.names)),
            ("Address of the machine, likewise", core.person.ip),
            ("Browser, likewise", core.person.user_agent),
            ("Decided under", f"configuration {more.revision}, packs {more.packs}"),
        ],
        exact=True,
    )


def acts_of(core: Certificate) -> list[tuple[str, str, str]]:
    """What the person did, line by line: seconds, deed, field."""
    acts = core.seen.acts if core.seen else []
    return [(f"{act.ms / 1000:.1f}", _ACTS[act.what], _field(act.where)) for act in acts]


def recording_of(made: Made) -> Recording:
    """What became of the recording."""
    kept: ReplayKept | None = made.recording
    if kept is not None and kept.sha256:
        return Recording(kept.sha256, kept.events, kept.seconds)
    told = made.core.seen.recorded if made.core.seen else None
    if kept is not None:
        why = f"The recording was let go: {kept.why}."
    elif told is None or told.accepted is None:
        why = NOT_RECORDED
    elif told.stopped:
        why = STOPPED
    else:
        why = NOT_COME if told.accepted else DECLINED
    return Recording(why=why)


def more_about(made: Made, house: str, now: datetime, random: Callable[[int], bytes] | None = None) -> More:
    """What is added to the core. With ``random`` also whom it is about, so slowly hashed that it takes a moment."""
    contacts = {}
    if random is not None:
        for kind in ("email", "phone"):
            value = made.lead.fields.get(kind)
            if isinstance(value, str) and value:
                contacts[kind] = contact_hash(value, kind, random(16))
    return More(
        made_at=now,
        house=house,
        revision=made.revision,
        packs=made.packs,
        journal=made.journaled,
        recording=recording_of(made),
        contacts=contacts,
    )


def paper_of(made: Made, events: bytes | None, more: More, key: Ed25519PrivateKey) -> bytes:
    """The certificate as one file, signed. ``events`` is the recording, where there is one."""
    html = Pages(FOLDER, {}).render(
        "certificate.html",
        core=made.core,
        sight=SIGHTS[made.core.sight],
        groups=[*groups_of(made.core, more.recording), marks_of(made.core, more, made.digest)],
        acts=acts_of(made.core),
        more=more,
        key=key.public_key().public_bytes_raw().hex(),
        core_json=Markup(canonical(made.core).decode()),  # noqa: S704 ours, and without a tag
        more_json=Markup(canonical(more).decode()),  # noqa: S704 the same
        replay_json=Markup(events.decode()) if events else None,  # noqa: S704 the same
        document=Markup(snapshot_attribute(made.document)),  # noqa: S704 escaped
    )
    return sealed_page(html, key).encode()


def _looks(seen: Seen) -> list[tuple[str, Value]]:
    found: list[tuple[str, Value]] = [
        ("Window", f"{seen.width} × {seen.height} px at {seen.scale:g}×, {seen.scheme}"),
    ]
    shown, control = seen.shown, seen.control
    if shown is not None:
        where = shown.place
        ratio = f"{shown.contrast:.2f} : 1" if shown.contrast is not None else "not measured: a picture lies behind"
        found += [
            ("Text", f"{shown.font_px:g} px, weight {shown.font_weight}, {shown.ink} on {shown.ground}"),
            ("Contrast", ratio),
            ("Stood", f"{'above' if shown.above_button else 'below'} the button, at {where.x:g}, {where.y:g} px"),
            ("Size", f"{where.width:g} × {where.height:g} px"),
            ("In view whole", f"{shown.visible_ms / 1000:.1f} s"),
            ("Hidden", "yes" if shown.hidden else "no"),
        ]
    if control is not None:
        size = f", {control.place.width:g} × {control.place.height:g} px" if control.place else ""
        kept = " (as the person had left it on the page before)" if control.kept else ""
        found.append(("Agreed by", f"a box{size}" if control.kind == "checkbox" else f"the button{size}"))
        if control.kind == "checkbox":
            found += [("Box before", f"{_BOX[control.default]}{kept}"), ("Box when sent", _BOX[control.state])]
    return found


def _deeds(seen: Seen) -> list[tuple[str, Value]]:
    ticked = [act.ms for act in seen.acts if act.what == "tick"]
    return [
        ("Page loaded, by its own clock", seen.began_at),
        ("Sent", f"{seen.sent_ms / 1000:.1f} s later"),
        ("Box ticked", f"{ticked[-1] / 1000:.1f} s after loading" if ticked else None),
        ("Time zone and language", ", ".join(word for word in (seen.time_zone, seen.language) if word)),
        ("Asked not to be followed", "yes (Global Privacy Control)" if seen.gpc else None),
    ]


def _recorded(recording: Recording) -> list[tuple[str, Value]]:
    if recording.sha256:
        return [("Kept", f"{recording.events} events over {recording.seconds:.0f} s, answers masked")]
    return [("None", recording.why)]


def _field(name: str) -> str:
    return "the consent box" if name == "consent[granted]" else name.replace("_", " ")
