"""Certificates: what independent vendors say of the consent that came with a lead.

Decides nothing: it takes the tokens of a ``Proof`` and the facts that ``enrich`` heard from their vendors, and gives
``Certificates``: whether each is genuine, of this person, how old, and kept. A token that nobody asked about is no
evidence. ``policy`` and the recipients who require a certificate judge by it; ``Keep`` has vendors keep those of leads
that went to somebody. Plug-ins of ``leadmill.certificates`` speak with the vendors; ``AsProviders`` makes providers of
them, so that limits, prices, breakers and memory are those of ``enrich``.
"""

from leadmill.certificates.model import (
    CERTIFICATE,
    RETAIN,
    WORDS,
    Certificate,
    CertificateRead,
    Certificates,
    Params,
    Standing,
    Topic,
    Vendor,
    VendorMaker,
)
from leadmill.certificates.plugging import AsProviders, VendorProvider
from leadmill.certificates.rules import (
    HEAD,
    TAILS,
    as_evidence,
    best_of,
    certificates_of,
    facts_of,
    key_of,
    lacking,
    wanted_of,
)
from leadmill.certificates.step import ASKED, Keep, Vouch

__all__ = [
    "ASKED",
    "CERTIFICATE",
    "HEAD",
    "RETAIN",
    "TAILS",
    "WORDS",
    "AsProviders",
    "Certificate",
    "CertificateRead",
    "Certificates",
    "Keep",
    "Params",
    "Standing",
    "Topic",
    "Vendor",
    "VendorMaker",
    "VendorProvider",
    "Vouch",
    "as_evidence",
    "best_of",
    "certificates_of",
    "facts_of",
    "key_of",
    "lacking",
    "wanted_of",
]
