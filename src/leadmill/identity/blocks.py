"""Where a person is looked for when no key decides: eight partial keys, each a pair of traits that seldom both fail.

Pure. Whoever shares one of them with a lead is weighed against it; nobody else is. Stored as keyed hashes. Together
they find nearly everybody who is not beyond finding: one slip breaks some of them, never all.
"""

from collections.abc import Callable
from functools import lru_cache

from leadmill.identity.traits import Traits

_CODES = {
    **dict.fromkeys("bfpv", "1"),
    **dict.fromkeys("cgjkqsxz", "2"),
    **dict.fromkeys("dt", "3"),
    "l": "4",
    **dict.fromkeys("mn", "5"),
    "r": "6",
}


@lru_cache(65_536)
def soundex(name: str) -> str:
    """The American Soundex code of a name in plain form: its first letter and three digits for the consonants after
    (National Archives, https://www.archives.gov/research/census/soundex)."""
    letters = [sign for sign in name if "a" <= sign <= "z"]
    if not letters:
        return ""
    code = letters[0]
    before = _CODES.get(code, "")
    for sign in letters[1:]:
        digit = _CODES.get(sign, "")
        if digit and digit != before:
            code += digit
        if sign not in "hw":
            before = digit
    return f"{code}000"[:4]


def block_keys(traits: Traits) -> list[str]:
    """The partial keys of a lead, as texts to be hashed. A key that lacks one of its traits is left out; so are all
    where given or last name is not known, because a match could not be judged."""
    given, last = traits.given, traits.last
    if not (given and last):
        return []
    found = []
    born, house, place = traits.born, traits.house, traits.zip
    sound = soundex(last)
    if house:
        found.append(f"hs {house} {sound}")
        if place:
            found.append(f"zh {place} {house}")
    if born:
        found.append(f"bf {born} {soundex(given.partition(' ')[0])}")
        found.append(f"bl {born} {last}")
        found.append(f"ml {born[4:]} {last}")
    if place:
        found.append(f"zl {place} {sound} {given[0]}")
    if len(traits.phone) > 7:
        found.append(f"pf {traits.phone[-7:]} {given[0]}")
    local = traits.email.rpartition("@")[0]
    if local:
        found.append(f"el {local} {last}")
    return found


def block_hashes(traits: Traits, keyed_hash: Callable[[str, str], bytes]) -> list[int]:
    """The keyed hashes of a lead's partial keys, shortened to eight bytes: where two keys fall on one hash, somebody is
    weighed in vain."""
    return [int.from_bytes(keyed_hash("block", key)[:8], "big", signed=True) for key in block_keys(traits)]
