"""The console: what operators see and do, as pages that work without a script and feel quick with one.

Pages call the same verbs as the API; they decide nothing. Everything a page may show is escaped, every read of a lead
is noted, and personal values are masked for roles that may not read them.
"""
