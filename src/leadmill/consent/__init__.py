"""Consent: what a person was shown and agreed to, and how we know.

Takes a mapped lead and, for a form of ours, the form as published; gives a ``Proof``. It judges nothing: a lead without
proof passes with a proof that says so, and ``policy`` decides what may still be done.
"""

from leadmill.consent.model import Proof
from leadmill.consent.rules import Stamp, prove, read_moment, read_stamp, stamp_page
from leadmill.consent.step import Prove

__all__ = ["Proof", "Prove", "Stamp", "prove", "read_moment", "read_stamp", "stamp_page"]
