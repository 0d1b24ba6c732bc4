"""Writes docs/reasons.md from the reasons that the program declares. Run after declaring, changing or dropping one."""

import sys
from itertools import groupby
from pathlib import Path

import leadmill.main
from leadmill.core.reasons import every

HEAD = """# Reasons

Every reason that a lead can be held or stopped for, and every reason that an order, a buyer or a delivery did not get
it. A code never changes its meaning. Where a state is given, the reason ends or holds the walk and the lead stands so;
the others explain a part of a decision. `{places}` are filled with the particulars.

This page is written from the declarations by `python scripts/reasons.py`.
"""


def page() -> str:
    """The page."""
    assert leadmill.main.cli is not None  # with the whole program every declaration has been read
    parts = [HEAD]
    for package, reasons in groupby(every(), key=lambda reason: reason.code.partition(".")[0]):
        parts.append(f"\n## {package}\n\n| code | the lead is then | in words |\n| --- | --- | --- |\n")
        parts += [f"| `{one.code}` | {one.state.value if one.state else ''} | {one.says} |\n" for one in reasons]
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page()) if "--show" in sys.argv else Path("docs/reasons.md").write_text(page(), encoding="utf-8")
