"""The languages of other systems: how they are written to and how their answers read, as data.

Used by everybody who speaks to a buyer in the buyer's own words, be it a ping or a delivery; it has never heard of
either. Declared in tables (``read_spec``), perhaps on top of a profile (``resolve``), written by ``content_of`` and
``write``, understood by ``take_apart`` and ``said``.
"""

from leadmill.runtime.dialect.model import (
    Dialect,
    Format,
    Method,
    Picked,
    ReplyRule,
    ReplySpec,
    Secret,
    Style,
)
from leadmill.runtime.dialect.profiles import Part, Profile, read_profiles, resolve
from leadmill.runtime.dialect.reading import read_path, read_spec, read_test, read_url
from leadmill.runtime.dialect.replies import PRICE_KEYS, Answer, Said, named, price_of, said, take_apart
from leadmill.runtime.dialect.writing import (
    STYLES,
    Letterform,
    as_text,
    content_of,
    pick,
    present,
    stamp,
    write,
)

__all__ = [
    "PRICE_KEYS",
    "STYLES",
    "Answer",
    "Dialect",
    "Format",
    "Letterform",
    "Method",
    "Part",
    "Picked",
    "Profile",
    "ReplyRule",
    "ReplySpec",
    "Said",
    "Secret",
    "Style",
    "as_text",
    "content_of",
    "named",
    "pick",
    "present",
    "price_of",
    "read_path",
    "read_profiles",
    "read_spec",
    "read_test",
    "read_url",
    "resolve",
    "said",
    "stamp",
    "take_apart",
    "write",
]
