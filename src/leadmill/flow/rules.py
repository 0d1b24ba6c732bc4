"""The rules in force: everything that decides besides the lead itself, as one value.

Assembled from the packs and a revision of the configuration by :mod:`leadmill.flow.book`; the walk is built from it,
and a decision records its revision and the packs' digest. Another revision gives another value: rules never change
under a walk.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from leadmill.capture import Dialect, Form, Lexicon, Vertical
from leadmill.delivery import Courier
from leadmill.enrich import NO_ENRICHMENT, Enrichment, Installed
from leadmill.facts import Checks, Reference
from leadmill.flow.rating import NO_MODELS, Models
from leadmill.followup import Templates
from leadmill.fraud import Card
from leadmill.hygiene import Reverify, Upkeep
from leadmill.market import Bidder, MarketTerms, Order
from leadmill.parties import Roster
from leadmill.policy import Engine, Law
from leadmill.privacy import DataAgreement, Terms
from leadmill.review import ReviewTerms
from leadmill.runtime.dialect import Profile
from leadmill.scoring import Bounds, CardReviewTerms, Scorecard
from leadmill.scoring.retraining import Retrain
from leadmill.scoring.watch import WatchTerms

Untierable = Callable[[str, frozenset[str], tuple[str, ...]], Mapping[str, str]]
"""Why no price may go by these names, by state of the lead; by vertical, names, and what the house is certified for."""


class Dialects(Struct, frozen=True):
    """The other systems' languages: ``inbound`` those that senders may speak, ``outbound`` the profiles by which buyers
    are spoken to, ``bidders`` and ``couriers`` the installed ways to ask them for a bid and to hand them a lead,
    ``providers`` the installed providers of facts (None where nobody says, and nothing is checked against them).
    ``unscorable`` says why no score of a vertical may look at these names, and nothing where it may: the law's word,
    which records are read against like the others. ``bounds`` are those of the packs for the models of a vertical.
    ``untierable`` says of which states' leads no price may go by some names, and why, ``cards`` are the packs'
    scorecards."""

    inbound: dict[str, Dialect] = {}
    outbound: dict[str, Profile] = {}
    bidders: Mapping[str, Bidder] | None = None
    couriers: Mapping[str, Courier] | None = None
    providers: Mapping[str, Installed] | None = None
    unscorable: Callable[[str, Iterable[str]], str] | None = None
    bounds: Mapping[str, Bounds] = {}
    untierable: Untierable | None = None
    cards: Mapping[str, Scorecard] = {}


NO_DIALECTS = Dialects()


class Rules:
    """The rules of one revision. ``packs`` is the digest over all packs, ``mail`` whether there is a mail server,
    ``engine`` decides by the laws."""

    __slots__ = (
        "agreements",
        "card_reviews",
        "cards",
        "checks",
        "dialects",
        "engine",
        "enrichment",
        "forms",
        "keyed_hash",
        "laws",
        "lexicon",
        "mail",
        "markets",
        "models",
        "orders",
        "packs",
        "reference",
        "retention",
        "retrains",
        "reverify",
        "reviews",
        "revision",
        "roster",
        "suspects",
        "templates",
        "upkeeps",
        "verticals",
        "watches",
    )

    def __init__(
        self,
        revision: int,
        packs: str,
        roster: Roster,
        orders: Mapping[str, Order],
        forms: Mapping[str, Form],
        verticals: Mapping[str, Vertical],
        lexicon: Lexicon,
        cards: Mapping[str, Scorecard],
        laws: Mapping[str, Law],
        reference: Reference,
        keyed_hash: Callable[[str, str], bytes],
        templates: Templates,
        mail: bool,
        engine: Engine,
        dialects: Dialects = NO_DIALECTS,
        markets: Mapping[str, MarketTerms] | None = None,
        enrichment: Enrichment = NO_ENRICHMENT,
        suspects: Mapping[str, Card] | None = None,
        checks: Mapping[str, Checks] | None = None,
        upkeeps: Mapping[str, Upkeep] | None = None,
        reverify: Mapping[str, Reverify] | None = None,
        retention: Terms | None = None,
        agreements: Mapping[str, DataAgreement] | None = None,
        reviews: Mapping[str, ReviewTerms] | None = None,
        models: Models = NO_MODELS,
        card_reviews: Mapping[str, CardReviewTerms] | None = None,
        watches: Mapping[str, WatchTerms] | None = None,
        retrains: Mapping[str, Retrain] | None = None,
    ) -> None:
        self.revision = revision
        self.packs = packs
        self.roster = roster
        self.orders = orders
        self.forms = forms
        self.verticals = verticals
        self.lexicon = lexicon
        self.cards = cards
        self.laws = laws
        self.reference = reference
        self.keyed_hash = keyed_hash
        self.templates = templates
        self.mail = mail
        self.engine = engine
        self.dialects = dialects
        self.markets: Mapping[str, MarketTerms] = markets or {}
        self.enrichment = enrichment
        self.suspects: Mapping[str, Card] = suspects or {}
        self.checks: Mapping[str, Checks] = checks or {}
        self.upkeeps: Mapping[str, Upkeep] = upkeeps or {}
        self.reverify: Mapping[str, Reverify] = reverify or {}
        self.retention = retention or Terms()
        self.agreements: Mapping[str, DataAgreement] = agreements or {}
        self.reviews: Mapping[str, ReviewTerms] = reviews or {}
        self.models = models
        self.card_reviews: Mapping[str, CardReviewTerms] = card_reviews or {}
        self.watches: Mapping[str, WatchTerms] = watches or {}
        self.retrains: Mapping[str, Retrain] = retrains or {}
