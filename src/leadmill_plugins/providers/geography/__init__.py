"""Says where a ZIP lies and how far it is from places of the operator's.

Found by the entry point ``geography`` of ``leadmill.facts``. Everything comes from the reference data (the package
``zipcodes``); nobody is asked and nothing leaves. A distance is that of a great circle between the ZIP's middle and the
place, with the mean radius of the Earth of the IUGG (6,371.0088 km).
"""

from collections.abc import Mapping, Sequence
from math import asin, cos, radians, sin, sqrt

from msgspec import Struct

from leadmill.core.conversation import HttpReply
from leadmill.core.reading import Table
from leadmill.facts import Fact

_CODE = "config.provider.malformed"
_MILES = 6371.0088 / 1.609344
_TOPICS: Mapping[str, Sequence[str]] = {
    "geography": ("zip", "zip.latitude", "zip.longitude", "zip.county?", "zip.state?", "zip.zone?")
}
_AS_THEY_ARE = (("zip.county", "geo.county"), ("zip.state", "geo.state"), ("zip.zone", "geo.zone"))


class Geography(Struct, frozen=True):
    """The provider: ``places`` are latitude and longitude in degrees by name, ``within`` how many miles a place still
    serves (None: any)."""

    name: str
    places: Mapping[str, tuple[float, float]]
    within: int | None = None

    @property
    def topics(self) -> Mapping[str, Sequence[str]]:
        """``geography``."""
        return _TOPICS

    def ask(self, topic: str, params: Mapping[str, str]) -> Sequence[Fact]:
        """The facts at once."""
        here = float(params["zip.latitude"]), float(params["zip.longitude"])
        if here == (0.0, 0.0):  # military post and the like lie nowhere
            return [Fact("geo.latitude", None, "unknown", self.name, 0)]
        found = [
            Fact("geo.latitude", here[0], "pass", self.name),
            Fact("geo.longitude", here[1], "pass", self.name),
        ]
        found += [Fact(key, params[own], "pass", self.name) for own, key in _AS_THEY_ARE if own in params]
        if self.places:
            miles, nearest = min((distance(here, there), name) for name, there in self.places.items())
            found.append(Fact("geo.place", nearest, "pass", self.name))
            found.append(Fact("geo.miles", round(miles, 1), "pass", self.name))
            if self.within is not None:
                served = miles <= self.within
                found.append(Fact("geo.served", served, "pass" if served else "fail", self.name))
        return found

    def read(self, topic: str, reply: HttpReply, params: Mapping[str, str]) -> Sequence[Fact]:
        """Never called: nobody is asked."""
        return []


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Miles between two points (the haversine formula)."""
    (lat, lon), (lat2, lon2) = ((radians(point[0]), radians(point[1])) for point in (one, other))
    half = sin((lat2 - lat) / 2) ** 2 + cos(lat) * cos(lat2) * sin((lon2 - lon) / 2) ** 2
    return 2 * _MILES * asin(min(1.0, sqrt(half)))


class GeographyProviders:
    """The plug-in: takes the operator's places."""

    name = "geography"

    def make(self, name: str, options: Mapping[str, object]) -> Geography:
        """``places`` by name as ``[latitude, longitude]`` in degrees, and ``within`` in miles. Raises BadInput
        ``config.provider.malformed``."""
        table = Table(options, f"provider {name}, options", _CODE)
        raw = table.value("places", {})
        part = table.inner(raw, "places")
        places = {str(place): _point(part, str(place)) for place in raw}
        within = table.whole("within", least=1, most=12_500) if table.has("within") else None
        table.close()
        if within is not None and not places:
            table.refuse("needs places", "within")
        return Geography(name, places, within)


def _point(table: Table, place: str) -> tuple[float, float]:
    value = table.value(place)
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 2 or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        table.refuse("must be a latitude and a longitude such as [38.58, -121.49]", place)
    if not -90 <= numbers[0] <= 90 or not -180 <= numbers[1] <= 180:
        table.refuse("lies nowhere: latitudes go from -90 to 90, longitudes from -180 to 180", place)
    return float(numbers[0]), float(numbers[1])


providers = GeographyProviders()
