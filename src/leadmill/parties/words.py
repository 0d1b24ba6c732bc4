"""The closed vocabularies in which records speak of law: evidence, origins, certificates.

Read by the records and by whoever judges by them.
"""

from typing import Literal

Came = Literal[
    "publisher_form",
    "own_form",
    "inbound_call",
    "outbound_call",
    "referral_list",
    "crash_report",
    "trigger_file",
    "school_list",
    "job_board",
    "covered_entity",
]
"""How a source comes by its leads, in the law's words."""

Trust = Literal["firm_offer", "consumer_authorization", "current_mortgage", "account_holder"]
"""What may be certified of leads out of a credit bureau's file of inquiries (15 USC 1681b(c)(4))."""

Certification = Literal["ca_lrs_certified", "ct_broker_licence"]
"""What a house may be certified for: as a referral service of California's State Bar, as a broker in Connecticut."""

Demand = Literal[
    "aca",
    "authorization",
    "certificate",
    "certification",
    "choices",
    "complaints",
    "conflicts",
    "disclosure",
    "dnc",
    "drop",
    "gpc",
    "licence_age",
    "licence_line",
    "line",
    "mail",
    "notice",
    "ownership",
    "page",
    "place",
    "reassigned",
    "recording",
    "replay",
    "state_dnc",
    "tpmo",
]
"""A kind of evidence that a buyer or a house can insist on. Where nobody does, the law's rules about it are asked only
of leads that come with it; ``policy.families`` says which names each holds, ``docs/policy.md`` what for."""
