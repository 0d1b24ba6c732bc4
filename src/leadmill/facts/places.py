"""The states and territories of the United States by their postal codes (USPS Publication 28, appendix B), and the
shape of the small file of places.

Read by the gazetteer, which writes that file and needs names where a package gives names, and by the reference, which
reads it.
"""

from msgspec import Struct


class Gazetteer(Struct, frozen=True):
    """What is kept.

    ``zips`` maps a ZIP to ``city|state|county|zone|kind|other cities;…|area codes;…|latitude|longitude``, ``areas`` a
    US area code to its state, ``countries`` a country's English name in lower case to its ISO 3166 code. ``letters`` is
    how names are spelt (:mod:`leadmill.facts.letters`), ``oaths`` are words that nobody is called, ``odd_names`` the
    Census' names that would be taken for keys struck at random.
    """

    zips: dict[str, str]
    areas: dict[str, str]
    countries: dict[str, str]
    letters: bytes = b""
    oaths: list[str] = []
    odd_names: list[str] = []


STATES: dict[str, str] = {
    "AL": "Alabama",
    "AK": "Alaska",
    "AZ": "Arizona",
    "AR": "Arkansas",
    "CA": "California",
    "CO": "Colorado",
    "CT": "Connecticut",
    "DE": "Delaware",
    "DC": "District of Columbia",
    "FL": "Florida",
    "GA": "Georgia",
    "HI": "Hawaii",
    "ID": "Idaho",
    "IL": "Illinois",
    "IN": "Indiana",
    "IA": "Iowa",
    "KS": "Kansas",
    "KY": "Kentucky",
    "LA": "Louisiana",
    "ME": "Maine",
    "MD": "Maryland",
    "MA": "Massachusetts",
    "MI": "Michigan",
    "MN": "Minnesota",
    "MS": "Mississippi",
    "MO": "Missouri",
    "MT": "Montana",
    "NE": "Nebraska",
    "NV": "Nevada",
    "NH": "New Hampshire",
    "NJ": "New Jersey",
    "NM": "New Mexico",
    "NY": "New York",
    "NC": "North Carolina",
    "ND": "North Dakota",
    "OH": "Ohio",
    "OK": "Oklahoma",
    "OR": "Oregon",
    "PA": "Pennsylvania",
    "RI": "Rhode Island",
    "SC": "South Carolina",
    "SD": "South Dakota",
    "TN": "Tennessee",
    "TX": "Texas",
    "UT": "Utah",
    "VT": "Vermont",
    "VA": "Virginia",
    "WA": "Washington",
    "WV": "West Virginia",
    "WI": "Wisconsin",
    "WY": "Wyoming",
    "AS": "American Samoa",
    "GU": "Guam",
    "MP": "Northern Mariana Islands",
    "PR": "Puerto Rico",
    "VI": "Virgin Islands",
    "FM": "Federated States of Micronesia",
    "MH": "Marshall Islands",
    "PW": "Palau",
    "AA": "Armed Forces Americas",
    "AE": "Armed Forces Europe",
    "AP": "Armed Forces Pacific",
}
