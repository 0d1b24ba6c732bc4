"""How sure a share is that was counted.

Pure; called by whoever tells a share of leads, decisions or rows.
"""

from math import sqrt

Z_95 = 1.959963984540054
"""How many standard errors hold 95 in 100."""


def share_interval(count: float, rows: float, z: float = Z_95) -> tuple[float, float]:
    """The interval that holds a share with 95 in 100 (Wilson 1927); nought to one where there are no rows."""
    if rows <= 0:
        return 0.0, 1.0
    share, per = count / rows, z * z / rows
    middle = (share + per / 2.0) / (1.0 + per)
    half = z * sqrt(share * (1.0 - share) / rows + per / (4.0 * rows)) / (1.0 + per)
    return max(0.0, middle - half), min(1.0, middle + half)
