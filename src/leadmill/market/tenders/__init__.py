"""What is said with buyers' own bid services: offers, answers, and what a service's manners lead to.

Takes an order's ping target and a lead's open values, gives offers that cannot name a person, and reads bids or
numbered refusals out of answers. Knows no orders and no limits: everything else of the market stands downstream.

- ``tender``: the vocabulary, and why there was no bid.
- ``offers``: what of a lead may be shown.
- ``pinging``: offers written and answers read in a buyer's dialect.
- ``manners``: how long a buyer is waited for, and when it is asked no more for a while.
"""
