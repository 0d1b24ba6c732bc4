"""Who sends: each source with its vertical, its share of the traffic, its dialect and the companies its pages name.

Used by ``traffic``. The sources, keys and companies are those of ``business.toml``; a test compares them.
"""

from typing import Literal, NamedTuple

Dialect = Literal["nested", "flat", "legacy", "form"]
"""How a source writes a lead: as the API documents it, on one level, on one level with the trade's old names, or as
a form."""


class Sender(NamedTuple):
    """A source of one vertical. ``weight`` is its share of the traffic, ``sellers`` the companies its pages name;
    ``form`` is the hosted form that its people fill in, where it is Leadmill's own page."""

    source: str
    key: str
    vertical: str
    weight: float
    dialect: Dialect
    sellers: tuple[str, ...]
    about: str
    page: str
    form: str = ""


LENDERS = (
    "Harbor Lantern Lending Inc.", "Quarry Ridge Home Loans LLC", "Bluepine Mortgage Company", "Tidewater Oak Bank",
)  # fmt: skip
AGENCIES = (
    "Cobalt Gate Insurance Agency LLC", "Willow Marsh Insurance Services Inc.", "Amberlane Auto Insurance Company",
    "Fenwick Row Agency Inc.",
)  # fmt: skip
INSTALLERS = ("Sunfallow Solar LLC", "Ridgebeam Energy Inc.", "Desert Kestrel Solar LLC", "Lumen Orchard Power Inc.")
FIRMS = ("Ashgrove & Pell LLP", "Corbel Street Attorneys PC", "Denhurst Legal Group LLC")
CONTRACTORS = (
    "Rooftree Exteriors LLC", "Brasswick Heating & Air Inc.", "Larkspur Bath & Kitchen LLC",
    "Handsel Home Network Inc.",
)  # fmt: skip
SCHOOLS = ("Westmere Online University", "Calder Hill Institute")

_GRIDLINE = "https://offers.gridline.example.net"

SENDERS: tuple[Sender, ...] = (
    Sender("ratecompass", "DEMO_KEY_RATECOMPASS", "mortgage", 17, "nested", LENDERS, "home loans",
           "https://ratecompass.example.com/compare"),
    Sender("brookmill-web", "DEMO_KEY_BROOKMILL_WEB", "mortgage", 3, "nested", LENDERS, "home loans",
           "https://brookmill.example.com/calculator"),
    Sender("brookmill-web", "DEMO_KEY_BROOKMILL_WEB", "mortgage", 2, "form", LENDERS, "home loans",
           "https://brookmill.example.com/rates", form="mortgage"),
    Sender("quotelane", "DEMO_KEY_QUOTELANE", "insurance_auto", 16, "legacy", AGENCIES, "car insurance",
           "https://quotelane.example.org/auto"),
    Sender("gridline", "DEMO_KEY_GRIDLINE", "insurance_auto", 8, "form", AGENCIES[1:3], "car insurance",
           f"{_GRIDLINE}/auto"),
    Sender("sunledger", "DEMO_KEY_SUNLEDGER", "solar", 15, "nested", INSTALLERS, "solar",
           "https://sunledger.example.com/savings"),
    Sender("brookmill-web", "DEMO_KEY_BROOKMILL_WEB", "solar", 3, "form", INSTALLERS, "solar",
           "https://brookmill.example.com/solar", form="solar"),
    Sender("clearclaim", "DEMO_KEY_CLEARCLAIM", "legal", 7, "flat", FIRMS, "my case",
           "https://clearclaim.example.com/start"),
    Sender("gridline", "DEMO_KEY_GRIDLINE", "legal", 3, "form", FIRMS[2:], "my case", f"{_GRIDLINE}/accident"),
    Sender("fixit-finder", "DEMO_KEY_FIXIT_FINDER", "home_services", 14, "flat", CONTRACTORS, "work on my home",
           "https://fixit-finder.example.org/quote"),
    Sender("gridline", "DEMO_KEY_GRIDLINE", "home_services", 5, "form", (CONTRACTORS[0], CONTRACTORS[3]),
           "work on my home", f"{_GRIDLINE}/home"),
    Sender("campus-path", "DEMO_KEY_CAMPUS_PATH", "education", 7, "nested", SCHOOLS, "courses",
           "https://campus-path.example.com/find"),
)  # fmt: skip
