"""The HTTP API: JSON in and out, Problem Details for every fault.

Called by publishers, buyers and programs with keys, and by operators' browsers. Routes translate; what they answer is
decided by ``flow``, ``outcomes`` and ``parties``.
"""
