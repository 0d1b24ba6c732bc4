"""Which use of a lead is the best over the whole day: what a unit of every scarce limit is worth.

Takes past and present leads, limits as they stand and what buyers accepted, gives shadow prices, and by them the way to
sell a lead that is worth most (docs/allocation.md). Breaks no limit, because it can sell nothing.

- ``sample``, ``forecast``: the leads still to come; ``accept``, ``learned``: who keeps what it gets, whose leads come
  back.
- ``duals``, ``shadow``: prices solved; ``repricing``, ``shadows``: who solves them when, and where they are in force.
- ``worth``, ``shortlist``, ``scarce``: the best next offer by those prices, in words too.
- ``chances``: how likely a lead is refused, comes back or is won; ``bestuse``: sold, or handed to a team.
- ``play``, ``playbook``: the same against a referee.
"""
