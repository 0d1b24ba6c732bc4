"""Agreements with whoever gets or handles personal data: which there are, in which version, what they cover, what
lacks and what ends soon.

A sale to a buyer whose contract has no privacy terms is refused by ``policy`` already; here stands the whole picture,
providers and messengers included, for whoever has to put it right.
"""

from leadmill.privacy.agreements.model import COVERS, NEEDS, Agreement, Covers, Partner, Standing
from leadmill.privacy.agreements.rules import in_force, read_agreement, review

__all__ = ["COVERS", "NEEDS", "Agreement", "Covers", "Partner", "Standing", "in_force", "read_agreement", "review"]
