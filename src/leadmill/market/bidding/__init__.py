"""Ping and post: whom we ask for bids, and the prices that we promise those who ask us.

Takes a lead or a ping, gives the orders to be asked (never one that is known to be full), quotes with the room held for
them, and honours a quote when its lead comes.

- ``solicit``: the station ``bidding``; ``vacancy``: who is known to be full.
- ``quotes``, ``quoting``: promised prices, told and kept; ``honour``: what a promise binds us to.
"""
