"""Where a person may be: every state whose law may ask to be heard, and every zone whose clock may be theirs.

Called by the law engine. An address, an area code and the person's own word all count; none takes another away. A ZIP
says which zone of its state is meant; without one, all zones of the state are. Toll-free, non-geographic and foreign
numbers add nothing.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from leadmill.core.reading import Table
from leadmill.facts import Reference, read_phone


class Whereabouts(Struct, frozen=True):
    """States and zones. ``home`` are the states that the address or the person named, ``reached`` those and the area
    code's; ``zones`` every clock that counts for contact, ``days`` those by which the person's dates are told."""

    home: tuple[str, ...]
    reached: tuple[str, ...]
    zones: tuple[str, ...]
    days: tuple[str, ...]


class Places:
    """Finds whereabouts. ``zones_of`` has each state's zones, ``of_zip`` what the packs know better of a ZIP;
    ``everywhere`` stands in where nothing is known."""

    def __init__(
        self,
        reference: Reference,
        zones_of: Mapping[str, Sequence[str]],
        everywhere: Sequence[str],
        of_zip: Mapping[str, Sequence[str]] = {},
    ) -> None:
        self._reference = reference
        self._zones_of = {state: tuple(zones) for state, zones in zones_of.items()}
        self._of_zip = {code: tuple(zones) for code, zones in of_zip.items()}
        self._everywhere = tuple(everywhere)
        self.find = lru_cache(16_384)(self._find)
        self._of_number = lru_cache(16_384)(self._number)

    def _find(
        self,
        state: str | None,
        zip_code: str | None,
        stated_state: str | None,
        stated_zone: str | None,
        phone: str | None,
        more: tuple[str, ...] = (),
    ) -> Whereabouts:
        home: dict[str, None] = {}
        zones: dict[str, None] = {}
        code = zip_code.strip()[:5] if zip_code else ""
        place = self._reference.place(code) if code else None
        settled: set[str] = set()
        if place:
            home[place.state] = None
            known_zones = self._of_zip.get(code) or ((place.zone,) if place.zone else ())
            settled = {place.state} if known_zones else set()
            zones |= dict.fromkeys(known_zones or self._zones_of.get(place.state, ()))
        for text in (state, stated_state):
            known = self._reference.state(text) if text else None
            if known:
                home[known] = None
                said = stated_zone if text is stated_state and text is not state else None
                if known not in settled and said not in self._zones_of.get(known, ()):
                    zones |= dict.fromkeys(self._zones_of.get(known, ()))
        days = tuple(zones)
        for zone in (stated_zone, *more):
            if zone and is_zone(zone):
                zones[zone] = None
        heard, clocks = self._of_number(phone[:8]) if phone else (None, ())
        reached = dict(home)
        if heard:
            reached[heard] = None
            zones |= dict.fromkeys(clocks)
        if not reached or not zones:
            # Rules for an unknown state, and for one without clocks of its own, are held against every clock there is.
            zones = dict.fromkeys((*zones, *self._everywhere))
        return Whereabouts(tuple(home), tuple(reached), tuple(zones), days or tuple(zones))

    def _number(self, head: str) -> tuple[str | None, tuple[str, ...]]:
        """The state and the zones of a number that begins so (``+1NPANXX``); neither where it has no place."""
        if not head.startswith("+1") or len(head) < 8 or not head[2:].isdigit():
            return None, ()
        state = self._reference.area_states.get(head[2:5])
        phone = read_phone(f"{head}0142")
        # Neighbours over the border are heard in American ZIPs too, and stand in the list for that.
        if state is None or (phone is not None and phone.area is None):
            return None, ()
        zones = tuple(zone for zone in (phone.zones if phone else ()) if is_zone(zone))
        return state, zones or self._zones_of.get(state, ())


@lru_cache(1_024)
def is_zone(name: str) -> bool:
    """Whether the name is one of the IANA database's."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def read_zones(raw: Mapping[str, object], table: Table) -> dict[str, tuple[str, ...]]:
    """The ``[zones]`` or ``[zip_zones]`` of a pack: the zones of each state or ZIP. Refuses what is no zone."""
    found = {state: table.texts(state) for state in raw}
    for state, names in found.items():
        for name in names:
            if not is_zone(name):
                table.refuse(f'"{name}" is no time zone', state)
    return found
