"""Who wants a lead, and at what price: orders read, made ready to be asked, and looked up.

Takes orders as declared, gives those whose conditions a lead meets, each other one with the reason, and what an order
would pay. Knows no use of any limit.

- ``reading``, ``pricelist``: orders from TOML, strictly.
- ``lines``: an order made ready to be asked.
- ``pricing``: what it pays for one lead, and what the house asks of a price.
- ``board``: a vertical's orders, asked one by one (``small``) or looked up in the index (``wide``, ``index``,
  ``ways``).
"""
