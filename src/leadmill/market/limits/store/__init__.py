"""Every read and write of the market's tables, a module for each of them."""
