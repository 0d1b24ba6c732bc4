"""Enrich: what others know of a lead, asked of them, and what a person put right.

Decides whom to ask about a lead, in what order and at what price, and whose word counts. Takes the ``Dossier`` that
``facts`` made; gives a new one through the station ``Enrich``, with the providers' facts beside ours. It stops nobody
but a lead that a provider knows nobody can reach: what no provider knows stays unknown. Without chains the station
leaves no trace. ``Asker`` asks, within limits that are never exceeded; ``read_provider``, ``read_chain`` and
``read_authority`` read what a business declares.
"""

from leadmill.enrich.declared import (
    NO_ENRICHMENT,
    OWN,
    Authority,
    Chain,
    Enrichment,
    Limit,
    ProviderSpec,
    assemble,
    may_leave,
    plain,
    read_authority,
    read_chain,
    read_price,
    read_provider,
    withheld,
)
from leadmill.enrich.model import (
    MICROS,
    AskedAgain,
    ChainAnswer,
    ChainAsk,
    Consultation,
    Consulted,
    Correction,
    Corrections,
    CorrectionsMade,
    Installed,
    LinkAsk,
    Maker,
    Provider,
    ProviderAnswer,
    Said,
)
from leadmill.enrich.plugging import at, fact_value, is_answer, malformed, tree_of, word
from leadmill.enrich.rules import OPERATOR, agrees, consulted, corrected, gather, original, plan, weigh
from leadmill.enrich.service import Asker
from leadmill.enrich.step import MAIL_DOMAIN, Correct, Enrich, EnrichAgain, VerifyOfOld
from leadmill.enrich.tally import Quality, Tally

__all__ = [
    "MAIL_DOMAIN",
    "MICROS",
    "NO_ENRICHMENT",
    "OPERATOR",
    "OWN",
    "AskedAgain",
    "Asker",
    "Authority",
    "Chain",
    "ChainAnswer",
    "ChainAsk",
    "Consultation",
    "Consulted",
    "Correct",
    "Correction",
    "Corrections",
    "CorrectionsMade",
    "Enrich",
    "EnrichAgain",
    "Enrichment",
    "Installed",
    "Limit",
    "LinkAsk",
    "Maker",
    "Provider",
    "ProviderAnswer",
    "ProviderSpec",
    "Quality",
    "Said",
    "Tally",
    "VerifyOfOld",
    "agrees",
    "assemble",
    "at",
    "consulted",
    "corrected",
    "fact_value",
    "gather",
    "is_answer",
    "malformed",
    "may_leave",
    "original",
    "plain",
    "plan",
    "read_authority",
    "read_chain",
    "read_price",
    "read_provider",
    "tree_of",
    "weigh",
    "withheld",
    "word",
]
