"""A demo business around Leadmill: buyers that answer, and sources that send.

It stands beside Leadmill and knows it only from outside, by its public HTTP surface and the dialects it delivers in;
it imports nothing of it. ``python -m leadmill_demo`` runs it; ``prepare`` writes the configuration that goes with it.
Every company, person and number is invented. Telephone numbers are of the prefix 555, which no telephone company
assigns to anybody; addresses are of the domains that are kept for examples.
"""

from leadmill_demo.business import Prepared, environment, prepare, render

__all__ = ["Prepared", "environment", "prepare", "render"]
