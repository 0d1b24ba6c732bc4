"""The book's tables: every posting, the accounts with a limit, and the holds on them."""

import sqlalchemy as sa

from leadmill.runtime.db import Id, metadata

POSTING = sa.Table(
    "posting",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("debit", Id, nullable=False),
    sa.Column("credit", Id, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("ref", Id, nullable=False),
    sa.Column("group", Id, nullable=False),
    sa.CheckConstraint("amount > 0 AND debit <> credit", name="posting_moves_something"),
)
"""One movement of money a row; rows are only ever added."""

sa.Index("posting_by_debit", POSTING.c.debit, POSTING.c.id)
sa.Index("posting_by_credit", POSTING.c.credit, POSTING.c.id)
sa.Index("posting_by_group", POSTING.c.group)

ACCOUNT_LIMIT = sa.Table(
    "account_limit",
    metadata,
    sa.Column("account", Id, primary_key=True),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("balance", sa.BigInteger, nullable=False),
    sa.Column("floor", sa.BigInteger, nullable=False),
    sa.Column("lowest_floor", sa.BigInteger, nullable=False),
    sa.Column("held", sa.BigInteger, nullable=False),
    postgresql_with={"fillfactor": 50},
)
"""The accounts that may not fall below ``floor``, each with the balance of its postings kept beside it so that one
locked row decides. ``lowest_floor`` is the lowest floor there ever was: a raised floor may leave a balance below it,
never below that."""

ACCOUNT_LEASE = sa.Table(
    "account_lease",
    metadata,
    sa.Column("account", Id, primary_key=True),
    sa.Column("holder", Id, primary_key=True),
    sa.Column("granted", sa.BigInteger, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False),
    postgresql_with={"fillfactor": 50},
)
"""The share of an account's money that a process spends by itself. All that was granted counts as held on the account
until the share ends; what was used of it leaves the balance only then."""

sa.Index("account_lease_by_holder", ACCOUNT_LEASE.c.holder)

MONEY_HOLD = sa.Table(
    "money_hold",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("account", Id, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ref", Id, nullable=False),
)
"""Money set aside on a guarded account."""

sa.Index(
    "money_hold_open",
    MONEY_HOLD.c.expires_at,
    MONEY_HOLD.c.id,
    postgresql_where=MONEY_HOLD.c.state == sa.literal_column("'held'"),
)
