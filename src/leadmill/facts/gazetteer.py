"""Boils the packages' bulky data down to one small file of places.

Run by :mod:`leadmill.facts.reference` in a process of its own, once for each version of the packages: reading them
whole takes a second and a quarter of a gigabyte, the file a few milliseconds and megabytes. Run as ``python -m
leadmill.facts.gazetteer FILE``.
"""

import importlib.util
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import msgspec
import names
import phonenumbers
import zipcodes

from leadmill.facts.letters import Letters, is_odd, is_repetition, is_walk, learn
from leadmill.facts.places import STATES, Gazetteer

_SAID = {"washington state": "WA", "washington d.c.": "DC", "washington d.c": "DC"}
"""How the number plan's data name places that the post names otherwise."""


def gather() -> Gazetteer:
    """Read the packages' data whole."""
    records: list[dict[str, Any]] = zipcodes.list_all()  # type: ignore[no-untyped-call]
    census = _census()
    letters = learn(census)
    return Gazetteer(
        _zips(records), _areas(records), _countries(), letters, _oaths(census), _odd_names(census, Letters(letters))
    )


def _zips(records: list[dict[str, Any]]) -> dict[str, str]:
    zones = available_timezones()
    found: dict[str, str] = {}
    for record in records:
        others = ";".join([*record["acceptable_cities"], *record["unacceptable_cities"]])
        zone = record["timezone"] if record["timezone"] in zones else ""
        kind = "" if record["zip_code_type"] == "STANDARD" else record["zip_code_type"].lower()
        codes = ";".join(record["area_codes"])
        at = f"{float(record['lat']):.2f}|{float(record['long']):.2f}"
        found[record["zip_code"]] = "|".join(
            (record["city"], record["state"], record["county"], zone, kind, others, codes, at)
        )
    return found


def _areas(records: list[dict[str, Any]]) -> dict[str, str]:
    # An area code lies in one state. The post lists the codes heard in a ZIP, neighbours included, so the plan's own
    # data come first and the state of most ZIPs second.
    heard: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        for code in record["area_codes"]:
            heard[code][record["state"]] += 1
    found = {code: states.most_common(1)[0][0] for code, states in heard.items()}
    for prefix, known in _described().items():
        if len(prefix) == 4 and prefix.startswith("1"):
            state = _state_named(known.get("en", ""))
            if state:
                found[prefix[1:]] = state
    return dict(sorted(found.items()))


def _described() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    number = 0
    while part := {prefix: names for prefix, names in _geodata(f"data{number}")["data"].items() if prefix[0] == "1"}:
        found |= part
        number += 1
    return found


def _geodata(name: str) -> dict[str, Any]:
    # The data's package reads all of its hundred megabytes when imported; its files, which are in order of prefix, do
    # not.
    path = Path(phonenumbers.__file__).parent / "geodata" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"phonenumbers.geodata.{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def _state_named(place: str) -> str | None:
    tail = place.rpartition(", ")[2]
    if tail in STATES:
        return tail
    return _SAID.get(tail.lower()) or next((code for code, name in STATES.items() if name == tail), None)


def _countries() -> dict[str, str]:
    found = {}
    for code, known in _geodata("locale")["LOCALE_DATA"].items():
        name = known.get("en", "")
        if name.startswith("*"):  # the name is the same as in the language that follows
            name = known.get(name[1:], "")
        if name:
            found[name.lower()] = code
    return found


# Names


def _census() -> list[str]:
    """The names of the US Census of 1990: 88,799 family names and 5,163 given ones."""
    folder = Path(names.__file__).parent
    found: dict[str, None] = {}
    for file in ("dist.all.last", "dist.male.first", "dist.female.first"):
        for line in (folder / file).read_text("ascii").splitlines():
            found.setdefault(line.split()[0].lower())
    return [name for name in found if name.isalpha()]


_BORNE_WORDS = """
anal ass bastardo bs cock cum fuk guro kike mamada mf pinche paki pis quim santorum scat shota simp suck tushy xx
"""
_BORNE = frozenset(_BORNE_WORDS.split())
"""Words of the lists that people are called, though none of the Census' names: Catalan, Japanese, Cantonese, Georgian,
Norwegian, Venezuelan and others; and what may be initials."""


def _oaths(census: list[str]) -> list[str]:
    """Oaths in the languages that forms are filled in with, without those that are somebody's name."""
    # The lists lie beside the package's code, which is not needed to read them.
    spec = importlib.util.find_spec("glin_profanity")
    if spec is None or spec.origin is None:
        raise ImportError("glin_profanity")
    folder = Path(spec.origin).parent / "data" / "dictionaries"
    words: set[str] = set()
    for language in ("english", "spanish"):
        listed = msgspec.json.decode((folder / f"{language}.json").read_bytes())
        words.update(word.lower() for word in listed["words"] if word.isascii() and word.isalpha())
    return sorted(words - set(census) - _BORNE)


def _odd_names(census: list[str], letters: Letters) -> list[str]:
    return [name for name in census if is_walk(name) or is_repetition(name) or is_odd(name, letters)]


def write(path: Path) -> None:
    """Gather and put the file in place whole: whoever reads it finds the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.part")
    draft.write_bytes(msgspec.msgpack.encode(gather()))
    draft.replace(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
