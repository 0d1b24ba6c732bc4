"""Takes in one journey what a group of leads is recognised by: keys, partial keys, and whoever they bring up.

Called by ``identity/claims.py``. One statement claims the keys that nobody has, locks those that are there, and reads
the persons met. Where it finds no key that is there, it enters the leads into the blocks of their partial keys as well:
then nobody's key decides, and all are looked for. Otherwise some are and some are not, and whoever entered these now
and the rest later would take locks out of order: new keys, known keys, blocks, each by its hash, as
``store/persons.py`` promises.

A statement sees what was committed before it began, also where it waits. So where another transaction claimed one of
the keys meanwhile, nothing but the new keys is taken, and the caller goes on step by step; and where a block's persons
changed while it was waited for, it says so, and they are to be read afresh.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from leadmill.identity.model import Person
from leadmill.identity.store.persons import BLOCK_MOST, Key, person_of_row
from leadmill.runtime.db import Tx, prepared

_FEW = 24
"""Persons up to which a block's are read at once. Of the larger ones most would be read in vain: the rarest partial
keys bring their persons first."""

_TAKE = prepared(
    sa.text(
        """
WITH given AS MATERIALIZED (
  SELECT h, k, p FROM unnest(CAST(:hashes AS bytea[]), CAST(:kinds AS text[]), CAST(:persons AS text[])) AS t(h, k, p)
), claimed AS (
  INSERT INTO person_key (hash, kind, person_id, added_at)
  SELECT h, k, p, CAST(:at AS timestamptz) FROM given ORDER BY h ON CONFLICT DO NOTHING RETURNING hash
), there AS MATERIALIZED (
  SELECT h FROM given WHERE h NOT IN (SELECT hash FROM claimed)
), calm AS MATERIALIZED (
  SELECT (SELECT count(*) FROM there)
    = (SELECT count(*) FROM person_key AS v WHERE v.hash = ANY(ARRAY(SELECT h FROM there))) AS yes
), held AS MATERIALIZED (
  SELECT hash, person_id, others FROM person_key
  WHERE hash = ANY(ARRAY(SELECT h FROM there)) AND (SELECT yes FROM calm) ORDER BY hash FOR UPDATE
), wanted AS MATERIALIZED (
  SELECT b, array_agg(p ORDER BY o) AS ps
  FROM unnest(CAST(string_to_array(CAST(:blocks AS text), ' ') AS bigint[]),
    string_to_array(CAST(:entering AS text), ' ')) WITH ORDINALITY AS u(b, p, o)
  WHERE NOT EXISTS (SELECT FROM there) GROUP BY b
), entered AS (
  INSERT INTO person_block AS e (hash, persons) SELECT b, ps FROM wanted
  WHERE coalesce((SELECT cardinality(f.persons) FROM person_block AS f WHERE f.hash = b), 0) < CAST(:most AS integer)
  ORDER BY b ON CONFLICT (hash) DO UPDATE SET persons = e.persons || excluded.persons RETURNING hash, persons
), found AS MATERIALIZED (
  SELECT hash, persons FROM entered
), met AS (
  SELECT unnest(array_append(others, person_id)) AS p FROM held
  UNION SELECT unnest(persons) FROM found WHERE cardinality(persons) <= CAST(:few AS integer)
)
SELECT CAST(1 AS smallint) AS what, hash, CAST(NULL AS bigint) AS block, CAST(NULL AS text[]) AS persons,
  CAST(NULL AS boolean) AS moved, CAST(NULL AS text) AS id, CAST(NULL AS bytea) AS wrapped_key,
  CAST(NULL AS timestamptz) AS created_at, CAST(NULL AS timestamptz) AS forgotten_at, CAST(NULL AS bytea) AS profile,
  CAST(NULL AS bytea) AS blocks, CAST(NULL AS text) AS prospect FROM claimed
UNION ALL SELECT 2, hash, NULL, array_prepend(person_id, others), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM held
UNION ALL SELECT 3, NULL, f.hash, f.persons, f.persons IS DISTINCT FROM
    coalesce((SELECT b.persons FROM person_block AS b WHERE b.hash = f.hash), '{}')
    || (SELECT w.ps FROM wanted AS w WHERE w.b = f.hash), NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM found AS f
UNION ALL SELECT 4, NULL, NULL, NULL, NULL, id, wrapped_key, created_at, forgotten_at, profile, blocks, prospect
  FROM person WHERE id = ANY(ARRAY(SELECT p FROM met))
"""
    ).bindparams(
        sa.bindparam("hashes", type_=sa.ARRAY(sa.LargeBinary)),
        sa.bindparam("kinds", type_=sa.ARRAY(sa.Text)),
        sa.bindparam("persons", type_=sa.ARRAY(sa.Text)),
        sa.bindparam("at", type_=sa.DateTime(timezone=True)),
        # Eight hashes a lead travel as one text of numbers: of an array the driver would look at each several times.
        sa.bindparam("blocks", type_=sa.Text),
        sa.bindparam("entering", type_=sa.Text),
        sa.bindparam("most", type_=sa.Integer),
        sa.bindparam("few", type_=sa.Integer),
    )
)


class Taken(Struct, frozen=True):
    """What the transaction holds now. ``claimed`` are keys nobody had, ``owners`` whose the others are, first owner
    first; a key in neither was claimed by somebody else at this very moment. ``blocks`` are the persons of each block
    that was entered, those entered last; full ones are absent and stay open to others, and where a key was there, all
    are. ``persons`` are those met, as they were before anybody was waited for; those of the blocks in ``moved`` may
    have shown more meanwhile."""

    claimed: set[bytes]
    owners: dict[bytes, list[str]]
    blocks: dict[int, list[str]]
    moved: set[int]
    persons: dict[str, Person]


async def take(tx: Tx, keys: Sequence[Key], entries: Mapping[int, Sequence[str]], at: datetime) -> Taken:
    """Claim or lock these keys, each given once; where none of them is there, enter persons into these blocks. Waits
    for another transaction that is taking one of them."""
    pairs = [(block, person) for block, persons in entries.items() for person in persons]
    rows = await tx.all(
        _TAKE,
        hashes=[key.hash for key in keys],
        kinds=[key.kind for key in keys],
        persons=[key.person_id for key in keys],
        at=at,
        blocks=" ".join([str(block) for block, _ in pairs]),
        entering=" ".join([person for _, person in pairs]),
        most=BLOCK_MOST,
        few=_FEW,
    )
    claimed: set[bytes] = set()
    owners: dict[bytes, list[str]] = {}
    blocks: dict[int, list[str]] = {}
    moved: set[int] = set()
    persons: dict[str, Person] = {}
    for row in rows:
        what = row["what"]
        if what == _PERSON:
            persons[row["id"]] = person_of_row(row)
        elif what == _BLOCK:
            blocks[row["block"]] = row["persons"]
            if row["moved"]:
                moved.add(row["block"])
        elif what == _CLAIMED:
            claimed.add(row["hash"])
        else:
            owners[row["hash"]] = row["persons"]
    return Taken(claimed, owners, blocks, moved, persons)


NOTHING = Taken(set(), {}, {}, set(), {})
_CLAIMED, _BLOCK, _PERSON = 1, 3, 4
