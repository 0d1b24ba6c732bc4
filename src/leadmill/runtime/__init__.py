"""Machinery that has never heard of leads.

Stands just above ``core``: settings, clock, database, journal, vault, jobs, outgoing traffic, packs and plug-ins,
logs and metrics. Every package may use its modules; it imports none of theirs.
"""
