"""When two submissions are of one person: normal forms of contact details, and whose word counts where they disagree.

Pure. The normal forms are what the keyed hashes are made of; suppression and search must use the same ones.
"""

import unicodedata

from msgspec import Struct

_GOOGLE = ("gmail.com", "googlemail.com")


def email_key(lookup: str) -> str:
    """The form in which a valid e-mail address identifies its owner.

    Lower case; at Gmail without dots and without what follows a plus sign, because all of these reach one mailbox there
    (https://support.google.com/mail/answer/7436150). Other providers decide otherwise, so theirs stay as they are.
    """
    local, _, domain = lookup.strip().lower().rpartition("@")
    if domain in _GOOGLE:
        return f"{local.partition('+')[0].replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def name_key(first: str | None, last: str | None) -> str | None:
    """The form in which names are compared: letters and digits only, no case, no accents. None without a last name."""
    if not last:
        return None
    return f"{_plain(first or '')} {_plain(last)}"


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())


class Owner(Struct, frozen=True):
    """A person a key belongs to, with the keyed hash of the name they first came with."""

    person_id: str
    name: bytes | None = None


class Choice(Struct, frozen=True):
    """Whose lead it is: ``owner`` None for a person not seen before; ``rival`` is another person's claim that lost, and
    ``rival_on`` the kind of key it rests on."""

    owner: Owner | None
    matched_on: tuple[str, ...] = ()
    rival: str | None = None
    rival_on: str | None = None


def choose(by_email: Owner | None, by_phone: Owner | None, name: bytes | None) -> Choice:
    """Whose lead it is, by the owners of its keys.

    Where they are two persons, the e-mail's owner counts: a phone is shared or handed on more often than a mailbox.
    Only where the name is the phone's owner's and not the e-mail's does the phone count. The two are never merged here.
    """
    if by_email is None or by_phone is None:
        owner = by_email or by_phone
        if owner is None:
            return Choice(None)
        return Choice(owner, ("email",) if by_email else ("phone",))
    if by_email.person_id == by_phone.person_id:
        return Choice(by_email, ("email", "phone"))
    if name is not None and by_phone.name == name and by_email.name != name:
        return Choice(by_phone, ("phone", "name"), by_email.person_id, "email")
    return Choice(by_email, ("email",), by_phone.person_id, "phone")
