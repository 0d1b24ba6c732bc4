"""Strangers' text as it is shown to people: what cannot be seen, or would move what stands around it, is named instead.

Used by the pages and the command line. Control characters, marks that turn the direction of writing and characters
without any width come out as ``[U+202E]``; joiners stay, because some languages are not written without them.
"""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text with whatever a reader would not see named by its number. Tabs and line breaks stay."""
    return _UNSEEN.sub(_name, text)


def escaped(document: str) -> str:
    """A JSON document that says the same and can be shown."""
    return _UNSEEN.sub(_escape, document)


def _name(found: "re.Match[str]") -> str:
    return f"[U+{ord(found[0]):04X}]"


def _escape(found: "re.Match[str]") -> str:
    return "".join(f"\\u{unit:04x}" for unit in memoryview(found[0].encode("utf-16-le")).cast("H"))
