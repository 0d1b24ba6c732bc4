"""Which rows a buyer's or a source's key may see, whatever a statement asks for.

The list that :mod:`leadmill.runtime.walls` makes row-level security of, in ``main``. A table that is not in it cannot
be read behind the wall at all: money, persons, the journal, the configuration.
"""

from leadmill.runtime.walls import Wall

WALLS = (
    Wall("sale", "buyer_id = {buyer}"),
    Wall("lead", "source_id = {source} OR id IN (SELECT s.lead_id FROM sale s WHERE s.buyer_id = {buyer})"),
    Wall("delivery", "recipient = {buyer}"),
    Wall("outcome", "reporter = {buyer}"),
    Wall("opt_out_notice", "recipient = {buyer}"),
    Wall("known_person", "buyer_id = {buyer}"),
    Wall("market_quote", "source_id = {source}"),
)
"""A buyer: its sales, the leads it was sold, their deliveries, its reports, its notices, its own list of people. A
source: the leads it brought, and the quotes it got."""
