"""The mail domains that people mean when they mistype one, and mailboxes that are an office's.

Read by the rules on e-mail addresses.
"""

_COMMON = """
gmail.com yahoo.com hotmail.com outlook.com icloud.com aol.com msn.com live.com comcast.net verizon.net sbcglobal.net
bellsouth.net charter.net optonline.net earthlink.net att.net cox.net protonmail.com proton.me ymail.com rocketmail.com
frontier.com windstream.net centurylink.net juno.com netzero.net gmx.com zoho.com mail.com me.com mac.com roadrunner.com
"""
COMMON = tuple(_COMMON.split())
"""Where most private addresses in the United States are, the most common first."""

_SLIPS = {"com": "con cmo ocm comm coom cpm vom xom cim om cm co", "net": "nte ner nett met ent"}
SLIPS = {slip: meant for meant, slips in _SLIPS.items() for slip in slips.split()}
"""Endings that stand for another behind one of these domains; some are real ones, which is why nothing is corrected."""

_ROLES = """
abuse admin administrator billing careers contact contactus customercare customerservice enquiries enquiry ftp hello
help helpdesk hostmaster hr info information inquiries inquiry investors jobs legal list mail mailbox mailer-daemon
marketing media news newsletter no-reply noc nobody noreply office orders postmaster press privacy recruiting
reception root sales security service services spam staff subscribe support team tech unsubscribe usenet uucp
webmaster www
"""
ROLES = frozenset(_ROLES.split())
"""What a mailbox is called that belongs to an office, not to a person: RFC 2142, and what offices call theirs."""

UNDOTTED = frozenset(("gmail.com", "googlemail.com"))
"""Where dots in the name of a mailbox count for nothing."""

EXAMPLES = ("example.com", "example.net", "example.org")
SPECIAL = ("example", "test", "invalid", "localhost", "local", "onion", "alt")
"""Names reserved for examples and special uses (RFC 2606, 6761): nobody's mail, and not to be looked up."""


def is_reserved(domain: str) -> bool:
    """Whether a domain is reserved, so that a look-up would say nothing of it."""
    return domain.rpartition(".")[2] in SPECIAL or domain in EXAMPLES or domain.endswith(_BELOW)


_BELOW = tuple(f".{name}" for name in EXAMPLES)
