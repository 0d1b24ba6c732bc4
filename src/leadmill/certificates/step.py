"""The stations of certificates: ``Vouch`` on the walk; ``Keep`` aside of it, once a lead has a recipient.

``Vouch`` stands right after the providers were asked, asks for nothing itself, and stops nobody: whether certificates
suffice is for ``policy``, and for the recipients who require them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadmill.capture import Lead, Vertical
from leadmill.certificates.model import CERTIFICATE, RETAIN, Certificates
from leadmill.certificates.plugging import VendorProvider
from leadmill.certificates.rules import certificates_of
from leadmill.consent import Proof
from leadmill.core.case import Ask, Case, Evidence, Heard
from leadmill.core.verdicts import ASIDE, Pass, Verdict
from leadmill.enrich import ChainAnswer, ChainAsk, Corrections, Enrichment, consulted, gather, plan, weigh
from leadmill.facts import Dossier, Reference

_NONE: tuple[Ask, ...] = ()


class Vouch:
    """Learns what the vendors said of the certificates that came with a lead. Without a token it leaves no trace."""

    name = "certificates"

    def wants(self, case: Case) -> Sequence[Ask]:
        """Nothing: the vendors were heard by ``enrich``."""
        return _NONE

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the :class:`~leadmill.certificates.model.Certificates`."""
        proof = case.get(Proof)
        if proof is None or not proof.certificates:
            return ASIDE
        return Pass((Certificates(certificates_of(case)),))


class Keep:
    """Has certificates kept by their vendors: those that are good, and not kept already, of the providers that a chain
    on ``retain`` names. It decides nothing about the lead."""

    name = "keep_certificates"

    def __init__(
        self, enrichment: Enrichment, verticals: Mapping[str, Vertical], reference: Reference | None = None
    ) -> None:
        self._enrichment = enrichment
        self._verticals = verticals
        self._reference = reference
        self._asks = any(one.chain.topic == RETAIN for one in enrichment.chains)

    def wants(self, case: Case) -> Sequence[Ask]:
        """One question a chain that bears on the lead."""
        proof = case.get(Proof)
        if not self._asks or proof is None or not proof.certificates:
            return _NONE
        lead, dossier = case.get(Lead), case.get(Dossier)
        if lead is None or dossier is None:
            return _NONE
        asks = plan(
            self._enrichment, lead, dossier, self._verticals.get(lead.vertical), self._reference, topics=(RETAIN,)
        )
        left = frozenset(
            one.vendor for one in certificates_of(case) if one.standing in (None, "good") and one.kept_at is None
        )
        open_asks = [_without(ask, self._enrichment, left) for ask in asks]
        return [ask for ask in open_asks if any(link.skip is None for link in ask.links)]

    def judge(self, case: Case, heard: Heard, now: datetime) -> Verdict:
        """Pass with the dossier that knows what is kept, and the certificates by it."""
        answers = [answer for answer in heard.values() if isinstance(answer, ChainAnswer)]
        if not answers:
            return ASIDE
        dossier = case[Dossier]
        newer = weigh(gather(dossier, answers), dossier, self._enrichment, case.get(Corrections))
        told = consulted(answers)
        certificates = Certificates(certificates_of(Case(case.lead_id, [*case.evidence(), newer])))
        learned: tuple[Evidence, ...] = (newer, certificates)
        return Pass(learned if told is None else (*learned, told))


def _without(ask: ChainAsk, enrichment: Enrichment, left: frozenset[str]) -> ChainAsk:
    """The question to those alone whose certificate is still to be kept."""
    links = []
    for link in ask.links:
        spec = enrichment.providers.get(link.provider)
        live = spec.live if spec is not None else None
        if isinstance(live, VendorProvider) and live.vendor.issuer in left:
            links.append(link)
    return ChainAsk(ask.chain, ask.topic, tuple(links))


ASKED = (CERTIFICATE, RETAIN)
"""The topics on which vendors are asked; what that costs stands under them."""
