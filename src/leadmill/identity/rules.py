"""The normal form of a mailbox. Pure.

It is what the keyed hash of an e-mail address is made of; suppression and search must use the same one.
"""

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
