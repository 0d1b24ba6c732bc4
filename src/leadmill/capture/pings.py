"""What a ping may say: a lead without the person.

Called by ``flow`` before a ping is quoted. A ping goes to companies that the person may never hear of, so nothing in
it may lead to the person: contact fields are refused one by one, whatever name they go by, and so is free text in
which an address, a phone number or a social security number stands.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from leadmill.capture.mapping import Barred, Lexicon, Target
from leadmill.capture.model import Lead, Mapped, Submission
from leadmill.capture.readers import fold
from leadmill.capture.rules import check_submission

CONTACT = "capture.ping.contact"
"""The code of a contact field in a ping."""

_BARRED = frozenset(
    (
        "first_name", "last_name", "full_name", "email", "phone", "phone_alternate", "address", "address_2",
        "date_of_birth",
    )
)  # fmt: skip
"""Contact fields of every vertical (FTC v. ITMedia, 2022: a ping carries no name, no full contact, no number of a
person's); a vertical's own are those its pack marks as personal."""

_SECRETS = frozenset(
    fold(name)
    for name in (
        "ssn", "ssn4", "last4_ssn", "social", "social_security", "social_security_number", "sin", "itin", "tax_id",
        "national_id", "passport", "passport_number", "drivers_license", "driver_license_number", "license_number",
        "bank_account", "bank_account_number", "account_number", "routing_number", "bank_routing", "aba", "iban",
        "card_number", "credit_card", "medicare_number", "mbi", "middle_name", "maiden_name", "nickname", "signature",
    )
)  # fmt: skip
"""Names of what no ping may carry although no vertical knows it."""

_LOOKS = re.compile(
    r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|(?<![\w.])(?:\+\d[\d ().-]{7,18}\d|(?:1[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4})(?!\w)"  # a phone number
    r"|(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"  # a social security number
)
_SAYS = "a ping carries nothing that leads to the person; send it with the post"


def check_ping(submission: Submission, lexicon: Lexicon, allowed: Sequence[str] = ()) -> Mapped:
    """Read a submission as a ping. What no field of the vertical knows is left out: nobody bids on it, and nothing of
    a ping is kept that is not needed.

    Raises :class:`BadInput` as :func:`leadmill.capture.check_submission`, with an entry ``capture.ping.contact`` for
    each field that leads to a person.
    """
    mapped = check_submission(submission, lexicon, allowed, barred_in(lexicon))
    return Mapped(
        vertical=mapped.vertical, fields=mapped.fields, consent={}, context=mapped.context, extra={}, test=mapped.test
    )


def ping_lead(ping_id: str, submission: Submission, mapped: Mapped) -> Lead:
    """What is judged of a ping: a lead without a person, under the ping's own id. Prices are asked for a test as for
    any other."""
    return Lead(
        id=ping_id,
        vertical=mapped.vertical,
        source_id=submission.source_id,
        received_at=submission.received_at,
        fields=mapped.fields,
        context=mapped.context,
    )


@lru_cache(4)
def barred_in(lexicon: Lexicon) -> Barred:
    """What a ping must not say, in any vertical."""
    personal = _BARRED | {
        name for vertical in lexicon.verticals.values() for name, spec in vertical.fields.items() if spec.personal
    }

    def against(key: str, value: Any, target: Target | None) -> tuple[str, str] | None:
        if isinstance(value, dict):
            return None  # what stands in it is looked at by itself
        place, name = (target[0], target[1]) if target is not None else ("", "")
        if name in personal if place == "fields" else name == "honeypot" if target else fold(key) in _SECRETS:
            return CONTACT, _SAYS
        if place in ("fields", "") and _leads_to_a_person(value):
            return CONTACT, f"this looks like an address or a number of a person's; {_SAYS}"
        return None

    return against


def _leads_to_a_person(value: Any) -> bool:
    if isinstance(value, str):
        return _LOOKS.search(value) is not None
    return isinstance(value, list) and any(_leads_to_a_person(item) for item in value)
