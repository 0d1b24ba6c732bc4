"""Which rows are sealed, and which of their columns: those that are written once and never again.

What may change beside them (the state of a sale or a delivery) is a projection, which ``leadmill verify`` holds against
the journal. Whoever adds a table that proves something adds it here.
"""

from leadmill.runtime.seals import Cover

COVERS = (
    Cover(
        "posting",
        "posting",
        ("id", "at", "debit", "credit", "amount", "currency", "kind", "ref", "group"),
        prefix="post",
    ),
    Cover(
        "sale",
        "sale",
        (
            "id",
            "leg",
            "deal_id",
            "lead_id",
            "order_id",
            "buyer_id",
            "team_id",
            "rep_id",
            "mode",
            "price",
            "currency",
            "at",
        ),
        prefix="sale",
    ),
    Cover(
        "delivery",
        "delivery",
        ("id", "lead_id", "sale_id", "leg", "recipient", "courier", "bid_ref", "created_at"),
        prefix="dlv",
        # A test lead's delivery is named by the lead's arrival, however long the lead lay in review.
        where="sale_id LIKE 'sale\\_%'",
    ),
    Cover("lead", "lead", ("id", "source_id", "channel", "received_at", "import_id"), prefix="lead"),
    Cover(
        "submission",
        "submission",
        ("id", "lead_id", "source_id", "channel", "received_at", "content_type", "digest"),
        prefix="sub",
    ),
    Cover(
        "outcome", "outcome", ("id", "lead_id", "sale_id", "reporter", "disposition", "at", "received_at"), prefix="out"
    ),
    Cover("opt_out", "opt_out", ("id", "at", "received_at", "channel", "scope", "by"), prefix="opt"),
    Cover("access_act", "access_act", ("id", "at", "who", "what", "about", "address"), prefix="act"),
    Cover(
        "access_review",
        "access_review",
        ("id", "at", "by", "note", "digest", "operators", "keys", "remarks", "document"),
        prefix="arv",
    ),
    Cover(
        "review_decision",
        "review_decision",
        ("id", "case_id", "lead_id", "no", "by", "at", "choice", "ground"),
        prefix="rvd",
    ),
    Cover(
        "record_version",
        "record_version",
        (
            "(lpad(revision::text, 19, '0') || ' ' || kind || ' ' || id) COLLATE \"C\"",
            "body",
            "deleted",
            "at",
            "author",
        ),
    ),
)
"""Money, sales, deliveries, leads as they came, what was reported and revoked, who did what about access or what cannot
be undone, and every version of the configuration."""
