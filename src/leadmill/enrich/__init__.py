"""Enrich: what others know of a lead, asked of them.

Decides whom to ask about a lead and whose word counts. Takes the ``Dossier`` that ``facts`` made; gives a new one
through the station ``Enrich``, with the providers' facts beside ours. It stops nobody but a lead that a provider knows
nobody can reach: what no provider knows stays unknown. Without providers the station leaves no trace.
"""

from leadmill.enrich.model import Consult, Provider, ProviderAnswer, ProviderAsk
from leadmill.enrich.step import Enrich, VerifyOfOld

__all__ = ["Consult", "Enrich", "Provider", "ProviderAnswer", "ProviderAsk", "VerifyOfOld"]
