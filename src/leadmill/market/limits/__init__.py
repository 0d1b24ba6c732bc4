"""How much each order, buyer and rep may still have: exact, whatever happens.

Takes sales, assignments, quotes and what is taken back, gives the room that is left; nothing is ever sold beyond it,
by however many processes (docs/limits.md). Knows no ranking: whose turn it is, is decided downstream.

- ``tally``: the arithmetic; ``simulation`` lets it evolve over a replayed stream.
- ``counters``: who opens a book for each transaction; ``capbook``: one transaction's limits, locked or from shares.
- ``leases``, ``shares``: the parts of a limit that a process sells from without a lock.
- ``rooms``, ``holds``: room set aside for a lead that may come.
- ``capuse``, ``pace``: what pages show of it.
"""
