"""Consent: what a person was shown and agreed to, and how we know.

Takes a mapped lead, what the page's own script told of it and, for a form of ours, the form as published; gives a
``Proof`` and, for an answer to a form of ours, how the page was seen (``Witnessed``) and the digest of its certificate.
It judges nothing: a lead without proof passes with a proof that says so, and ``policy`` decides whether anything may
still be done. The recording of a visit comes in here too, and goes to its lead.
"""

from leadmill.consent.certificate import Certificate, canonical, certify, digest_of
from leadmill.consent.model import Certified, Proof, ReplayKept, Sight, StoredReplay, Witnessed
from leadmill.consent.naming import page_evidence
from leadmill.consent.papers import (
    Flaw,
    Journaled,
    More,
    Paper,
    Recording,
    contact_hash,
    core_of,
    flaws_of,
    is_contact,
    key_of,
    more_of,
    sealed_page,
    snapshot_attribute,
    take_apart,
)
from leadmill.consent.recording import Chunk, read_chunk
from leadmill.consent.rules import Stamp, prove, read_moment, read_stamp, stamp_page
from leadmill.consent.seen import Seen, open_witness, pack_witness, unpack
from leadmill.consent.step import Prove
from leadmill.consent.visits import Visit, read_visit, visit_token

__all__ = [
    "Certificate",
    "Certified",
    "Chunk",
    "Flaw",
    "Journaled",
    "More",
    "Paper",
    "Proof",
    "Prove",
    "Recording",
    "ReplayKept",
    "Seen",
    "Sight",
    "Stamp",
    "StoredReplay",
    "Visit",
    "Witnessed",
    "canonical",
    "certify",
    "contact_hash",
    "core_of",
    "digest_of",
    "flaws_of",
    "is_contact",
    "key_of",
    "more_of",
    "open_witness",
    "pack_witness",
    "page_evidence",
    "prove",
    "read_chunk",
    "read_moment",
    "read_stamp",
    "read_visit",
    "sealed_page",
    "snapshot_attribute",
    "stamp_page",
    "take_apart",
    "unpack",
    "visit_token",
]
