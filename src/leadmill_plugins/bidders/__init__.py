"""Built-in bidders: ways to ask buyers for bids. Each registers like a stranger's."""
