"""The signals: everything that may speak against a lead, in words, and the family it belongs to.

The closed registry. Packs weigh these codes and no others; ``docs/fraud.md`` lists them, and tests hold the page and
the packs against this file. Signals of one family see the same thing twice, so only the strongest of them counts.
"""

import re
from typing import Literal

from msgspec import Struct

Family = Literal[
    "repeats",
    "network",
    "device",
    "place",
    "source",
    "form",
    "machine",
    "trap",
    "recycled",
    "consent",
    "email",
    "phone",
    "name",
    "birth",
    "burned",
]


class Signal(Struct, frozen=True):
    """A signal: what it ``says`` of a lead, with places for the particulars, and its ``family``. ``fact`` is the key of
    the fact that raises it where it fails; with ``flag``, where it is true."""

    family: Family
    says: str
    fact: str | None = None
    flag: bool = False

    @property
    def title(self) -> str:
        """What it says, without the particulars of a lead."""
        return re.sub(r"\{\w+\}", "…", self.says)


SIGNALS: dict[str, Signal] = {
    # How often
    "velocity.phone": Signal(
        "repeats", "The phone number came {count} times within {window}; {most} times is usual at most."
    ),
    "velocity.email": Signal(
        "repeats", "The e-mail address came {count} times within {window}; {most} times is usual at most."
    ),
    "velocity.ip": Signal(
        "network", "{count} leads came from the IP address within {window}; {most} are usual at most."
    ),
    "velocity.net": Signal(
        "network", "{count} leads came from the IP address's network within {window}; {most} are usual at most."
    ),
    "velocity.device": Signal(
        "device", "{count} leads came from the device within {window}; {most} are usual at most."
    ),
    "velocity.source": Signal("source", "The source sent {count} leads within {window}; {most} are allowed."),
    # How many people
    "crowd.ip": Signal(
        "network", "{count} persons came from the IP address within {window}; {most} are usual at most."
    ),
    "crowd.device": Signal("device", "{count} persons used the device within {window}; {most} are usual at most."),
    "crowd.address": Signal(
        "place", "{count} persons gave the street address within {window}; {most} are usual at most."
    ),
    # The source
    "source.burst": Signal("source", "The source sent {count} leads within an hour; it usually sends {usual}."),
    "source.poor": Signal("source", "At least {share} % of the source's sold leads come back."),
    "source.turned": Signal("source", "Since {since} more of the source's leads {what} than before."),
    # Old leads sent as fresh
    "recycled.source": Signal(
        "recycled", "The {what} came from another source before, {days} days ago for the first time."
    ),
    "recycled.vertical": Signal(
        "recycled", "The {what} came for another vertical before, {days} days ago for the first time."
    ),
    "recycled.name": Signal("recycled", "The {what} came with another family name before ({names} of them)."),
    "recycled.posted": Signal("recycled", "The form was sent {hours} hours before the lead came here."),
    # Consent
    "consent.future": Signal("consent", "The consent is said to be given {hours} hours after the lead came."),
    "consent.stale": Signal("consent", "The consent was given {days} days before the lead came."),
    # The form
    "form.honeypot": Signal("trap", "A field that people cannot see was filled in."),
    "form.fast": Signal("form", "The form was filled in faster than anybody can.", "form.fast"),
    "form.untouched": Signal("form", "The form was filled in without a key, a paste or the browser's own help."),
    "form.rhythm": Signal("form", "The keys were struck like a machine's: {gap} ms apart, {spread} % off."),
    "form.pasted": Signal("form", "{count} answers were pasted."),
    "form.webdriver": Signal("machine", "The browser says that a program drives it."),
    "agent.automation": Signal("machine", "The user agent names a tool that drives browsers."),
    # Facts that are not in order
    "email.disposable": Signal("email", "A throw-away e-mail address.", "email.disposable"),
    "email.gibberish": Signal("email", "The e-mail address reads like keys struck at random.", "email.gibberish", True),
    "email.mx": Signal("email", "The e-mail address's domain takes no mail.", "email.mx"),
    "phone.patterned": Signal("phone", "The phone number is one digit over and over, or counts.", "phone.patterned"),
    "phone.fictional": Signal("phone", "The phone number is kept free for fiction.", "phone.fictional", True),
    "phone.test": Signal("phone", "The phone number is one that everybody knows.", "phone.test", True),
    "name.placeholder": Signal("name", "The name is a placeholder.", "name.placeholder", True),
    "name.gibberish": Signal("name", "The name reads like keys struck at random.", "name.gibberish", True),
    "name.keyboard": Signal("name", "The name is a walk along the keyboard.", "name.keyboard", True),
    "name.profane": Signal("name", "Nobody is called by such a name.", "name.profane", True),
    "name.famous": Signal("name", "The name is one that forms know well.", "name.famous", True),
    "name.digits": Signal("name", "A digit stands in the name.", "name.digits", True),
    "name.contact": Signal("name", "An address, a number or a link stands in the name.", "name.contact", True),
    "birth.plausible": Signal("birth", "Nobody alive can be born on that day.", "birth.plausible"),
    "ip.public": Signal("network", "The IP address cannot be a visitor's.", "ip.public"),
    "ip.hosting": Signal("network", "The IP address is a data centre's.", "ip.hosting", True),
    "ip.anonymous": Signal("network", "The IP address is a known way to hide one's own.", "ip.anonymous", True),
    # What buyers sent back
    "burned.phone": Signal("burned", "{count} leads with the phone number were returned, {days} days ago the last."),
    "burned.email": Signal("burned", "{count} leads with the e-mail address were returned, {days} days ago the last."),
    "burned.device": Signal("burned", "{count} leads from the device were returned, {days} days ago the last."),
    "burned.ip": Signal("burned", "{count} leads from the IP address were returned, {days} days ago the last."),
    "burned.address": Signal("burned", "{count} leads of the street address were returned, {days} days ago the last."),
}
"""Every signal by its code."""
