"""The history of the tables, one linear line of versions.

Read by ``runtime.migrate`` at every start. Nobody writes a version by hand: ``python -m leadmill.migrations "what
changes"`` compares the packages' tables with the last version and writes the next one into ``versions``, to be read
and committed.
"""
