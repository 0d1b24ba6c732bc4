"""Sealed bytes as a text for a link, a cookie or a page: base64 for URLs, without padding.

Called by identity (returning visitors), optouts and privacy (links in letters) for what goes through a browser.
Promises that bytes have one text: one that differs in a single sign, even where base64 would not mind, is not ours.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def token_of(sealed: bytes) -> str:
    """The text of the bytes."""
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def bytes_of(token: str) -> bytes:
    """The bytes of a text. Raises ValueError for one that :func:`token_of` would not have written: decoders take ``/``
    for ``_``, skip signs they do not know and leave the last bits unread."""
    sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    if token_of(sealed) != token:
        raise ValueError("not a token as it was written")
    return sealed
