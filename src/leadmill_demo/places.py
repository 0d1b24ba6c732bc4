"""Where people live: facts of the post and the number plan that agree with one another.

Used by ``people``. A test compares every line with the published ZIP codes.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """A city: one of its ZIP codes and the area codes of its telephones."""

    zip: str
    city: str
    state: str
    area_codes: tuple[str, ...]


PLACES: tuple[Place, ...] = (
    Place("94110", "San Francisco", "CA", ("415", "628")),
    Place("94612", "Oakland", "CA", ("510",)),
    Place("95112", "San Jose", "CA", ("408", "669")),
    Place("95814", "Sacramento", "CA", ("916",)),
    Place("92103", "San Diego", "CA", ("619", "858")),
    Place("90026", "Los Angeles", "CA", ("213", "323")),
    Place("92614", "Irvine", "CA", ("657", "714", "949")),
    Place("93704", "Fresno", "CA", ("559",)),
    Place("85004", "Phoenix", "AZ", ("602",)),
    Place("85281", "Tempe", "AZ", ("480", "602")),
    Place("85701", "Tucson", "AZ", ("520",)),
    Place("75201", "Dallas", "TX", ("214", "469", "972")),
    Place("76107", "Fort Worth", "TX", ("682", "817")),
    Place("77007", "Houston", "TX", ("281", "346", "713", "832")),
    Place("78701", "Austin", "TX", ("512", "737")),
    Place("78209", "San Antonio", "TX", ("210", "726")),
    Place("33130", "Miami", "FL", ("305", "786")),
    Place("33602", "Tampa", "FL", ("813",)),
    Place("32801", "Orlando", "FL", ("321", "407", "689")),
    Place("32204", "Jacksonville", "FL", ("904",)),
    Place("30303", "Atlanta", "GA", ("404", "470", "678")),
    Place("60614", "Chicago", "IL", ("312", "773", "872")),
    Place("61602", "Peoria", "IL", ("309",)),
    Place("10025", "New York", "NY", ("212", "332", "646", "917")),
    Place("11215", "Brooklyn", "NY", ("347", "718", "929")),
    Place("14607", "Rochester", "NY", ("585",)),
    Place("98103", "Seattle", "WA", ("206",)),
    Place("99201", "Spokane", "WA", ("509",)),
    Place("97202", "Portland", "OR", ("503", "971")),
    Place("97401", "Eugene", "OR", ("458", "541")),
    Place("80205", "Denver", "CO", ("303", "720")),
    Place("80903", "Colorado Springs", "CO", ("719",)),
    Place("89103", "Las Vegas", "NV", ("702", "725")),
    Place("89502", "Reno", "NV", ("775",)),
    Place("48104", "Ann Arbor", "MI", ("734",)),
    Place("49503", "Grand Rapids", "MI", ("616",)),
    Place("43215", "Columbus", "OH", ("380", "614")),
    Place("44113", "Cleveland", "OH", ("216",)),
    Place("45202", "Cincinnati", "OH", ("513",)),
    Place("27601", "Raleigh", "NC", ("919", "984")),
    Place("28202", "Charlotte", "NC", ("704", "980")),
    Place("19103", "Philadelphia", "PA", ("215", "267", "445")),
    Place("15222", "Pittsburgh", "PA", ("412", "878")),
    Place("02139", "Cambridge", "MA", ("617", "857")),
    Place("01609", "Worcester", "MA", ("508", "774")),
    Place("55406", "Minneapolis", "MN", ("612", "651")),
    Place("37203", "Nashville", "TN", ("615", "629")),
    Place("38104", "Memphis", "TN", ("901",)),
    Place("84102", "Salt Lake City", "UT", ("385", "801")),
    Place("87106", "Albuquerque", "NM", ("505",)),
    Place("46204", "Indianapolis", "IN", ("317", "463")),
    Place("64108", "Kansas City", "MO", ("816",)),
    Place("63104", "Saint Louis", "MO", ("314",)),
    Place("70115", "New Orleans", "LA", ("504",)),
    Place("70802", "Baton Rouge", "LA", ("225",)),
    Place("23220", "Richmond", "VA", ("804",)),
    Place("23510", "Norfolk", "VA", ("757",)),
    Place("21218", "Baltimore", "MD", ("410", "443", "667")),
    Place("53703", "Madison", "WI", ("608",)),
    Place("53211", "Milwaukee", "WI", ("414",)),
    Place("29401", "Charleston", "SC", ("843", "854")),
    Place("35203", "Birmingham", "AL", ("205",)),
    Place("40204", "Louisville", "KY", ("502",)),
    Place("73103", "Oklahoma City", "OK", ("405",)),
    Place("68104", "Omaha", "NE", ("402", "531")),
    Place("50309", "Des Moines", "IA", ("515",)),
    Place("07102", "Newark", "NJ", ("201", "551", "862", "973")),
    Place("06511", "New Haven", "CT", ("203", "475")),
    Place("02903", "Providence", "RI", ("401",)),
    Place("03101", "Manchester", "NH", ("603",)),
    Place("04101", "Portland", "ME", ("207",)),
    Place("83702", "Boise", "ID", ("208", "986")),
)

SUNNY = tuple(place for place in PLACES if place.state in ("CA", "AZ", "TX", "NV", "FL", "CO", "NM", "UT"))
"""Where roofs earn something."""
