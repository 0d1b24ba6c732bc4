"""What vendors of consent certificates are asked, what they say, and what that makes of a lead's certificates.

A token that came with a lead is a claim. What stands here as a certificate is what its vendor said of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Literal, Protocol, runtime_checkable

from msgspec import Struct

from leadmill.core.case import Evidence
from leadmill.core.conversation import HttpAsk, HttpReply

CERTIFICATE = "certificate"
"""The topic of chains that ask vendors on the walk: is it genuine, of when, and of this person?"""

RETAIN = "retain"
"""The topic of chains that ask vendors to keep certificates, once a lead has a recipient."""

Topic = Literal["claim", "match", "retain"]
"""What a vendor is asked: whether it knows the token; the same, and whether the certificate is of this phone number and
e-mail address; to keep the certificate for us."""

Standing = Literal["good", "expired", "missing", "gone", "withdrawn", "spent", "sandbox", "malformed"]
"""What a vendor says of a token: it has it; its time is over; it never issued it; it is over or never was, without
saying which; the person opted out there; it was asked after too often; it is a vendor's test certificate. ``malformed``
is our own word: it cannot be a token of this vendor, so that nobody was asked."""

WORDS: dict[Standing, str] = {
    "good": "genuine",
    "expired": "expired",
    "missing": "never issued by its vendor",
    "gone": "expired or never issued",
    "withdrawn": "withdrawn by the person",
    "spent": "asked after too often for its vendor to answer",
    "sandbox": "its vendor's test certificate",
    "malformed": "no token of its vendor",
}
"""The same in words that follow “is”."""

Params = Mapping[str, str]
"""What a vendor is told: ``token``, ``phone`` in E.164 and ``email`` where known; to keep a certificate, also ``lead``,
the lead's id, and ``source``, who brought it."""

# ---- plug-ins -------------------------------------------------------------------------------------------------------


class CertificateRead(Struct, frozen=True, kw_only=True):
    """What a vendor's answer says; None where it says nothing of it.

    ``phone`` and ``email`` tell whether the certificate is of the number and address that were asked about;
    ``age_seconds`` is how old it was when asked, for vendors that do not say when it was made; ``expires_at`` is when
    the vendor lets go of it unless it is kept, ``kept`` and ``kept_until`` whether and how long it is kept for us;
    ``recorded`` whether the request for consent is stored as the person saw it; ``page`` the site it was shown on.
    """

    standing: Standing
    phone: bool | None = None
    email: bool | None = None
    created_at: datetime | None = None
    age_seconds: int | None = None
    expires_at: datetime | None = None
    kept: bool | None = None
    kept_until: datetime | None = None
    recorded: bool | None = None
    page: str | None = None


class Vendor(Protocol):
    """A plug-in of the entry-point group ``leadmill.certificates``: a pure conversation that never opens a socket."""

    @property
    def name(self) -> str:
        """What it is called among the installed plug-ins."""
        ...

    @property
    def issuer(self) -> str:
        """The name under which its tokens come with a lead's consent: ``trustedform``."""
        ...

    @property
    def topics(self) -> Mapping[Topic, Sequence[str]]:
        """What it can be asked, and what it is told for each beside the token: names of :data:`Params`, ``email?``
        where it can do without. Nothing else leaves."""
        ...

    def ask(self, topic: Topic, params: Params) -> HttpAsk | CertificateRead | None:
        """The request to make; what is known without one (a text that is no token of this vendor); None where there is
        nothing to ask. The address never comes from the token."""
        ...

    def read(self, topic: Topic, reply: HttpReply, params: Params) -> CertificateRead:
        """What the reply says. Raises a Fault where it says nothing that it understands."""
        ...


@runtime_checkable
class VendorMaker(Protocol):
    """A plug-in that becomes a vendor by what its declaration says."""

    def make(self, name: str, options: Mapping[str, object]) -> Vendor:
        """The vendor called ``name`` with these ``options``. Raises BadInput ``config.provider.malformed`` saying what
        is wrong with them."""
        ...


# ---- evidence -------------------------------------------------------------------------------------------------------


class Certificate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate that came with a lead, and what its ``vendor`` said; ``standing`` is None where the vendor was not
    asked or gave no answer, and then nothing else is known. ``by`` is the provider that spoke, ``asked_at`` when;
    ``kept_at`` is when the vendor was found to keep it for us. The token itself is not told here."""

    vendor: str
    standing: Standing | None = None
    by: str = ""
    asked_at: datetime | None = None
    phone: bool | None = None
    email: bool | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    kept_at: datetime | None = None
    kept_until: datetime | None = None
    recorded: bool | None = None
    page: str = ""

    @property
    def matched(self) -> bool | None:
        """Whether it is of the lead's phone number and e-mail address, as far as the vendor compared them; None where
        it compared neither."""
        known = [one for one in (self.phone, self.email) if one is not None]
        return all(known) if known else None

    def stands(self, now: datetime) -> Standing | None:
        """Its standing at a moment: one that is good and not kept ends when its vendor lets go of it."""
        over = self.kept_until if self.kept_at is not None else self.expires_at
        if self.standing == "good" and over is not None and over <= now:
            return "expired"
        return self.standing

    def age(self, now: datetime) -> timedelta | None:
        """How old it is; None where nobody knows when it was made."""
        return None if self.created_at is None else now - self.created_at

    def tell(self) -> str:
        """The same in one sentence."""
        if self.standing is None:
            return f"A {self.vendor} token came; its vendor gave no word on it, so it proves nothing."
        if self.standing != "good":
            return f"The {self.vendor} certificate is {WORDS[self.standing]}."
        parts = [_MATCHED[self.matched]]
        if self.created_at is not None:
            parts.append(f"made {self.created_at:%Y-%m-%d %H:%M} UTC")
        if self.kept_at is not None:
            until = f" until {self.kept_until:%Y-%m-%d}" if self.kept_until is not None else ""
            parts.append(f"kept by its vendor{until}")
        elif self.expires_at is not None:
            parts.append(f"gone on {self.expires_at:%Y-%m-%d %H:%M} UTC unless kept")
        return f"The {self.vendor} certificate is genuine: {', '.join(parts)}."


_MATCHED = {
    True: "of this person",
    False: "of another phone number or e-mail address",
    None: "whose it is was not compared",
}


class Certificates(Evidence, frozen=True, omit_defaults=True):
    """What the vendors said of the certificates that came with a lead. It stays when the person is forgotten: it names
    nobody, and it is the proof that proof was asked for."""

    items: list[Certificate] = []

    personal: ClassVar[bool] = False

    def tell(self) -> Iterable[str]:
        """One sentence a certificate."""
        for item in self.items:
            yield item.tell()
