"""Leadmill runs a lead business end to end: capture, consent, scoring, market, delivery, money.

This is the top of the package and holds nothing but the version. The packages below it stand in the
order a lead travels (`docs/tour.md` walks them); `leadmill.main` is where they are put together.
"""

from typing import Final

__version__: Final = "0.1.0"
