"""Writes docs/facts.md from the keys that the program declares. Run after adding, changing or dropping one."""

import sys
from pathlib import Path

from leadmill.facts.keys import GROUPS, KEYS, heading

HEAD = """# Facts

What is found out about a lead before anybody decides about it. Each fact has a key, a value, a source, a moment, a
cost, a confidence in per cent, and an outcome:

- **pass**: what was looked at is in order;
- **fail**: it is not;
- **unknown**: nothing was found out. That is never held against a lead: no rule of ours stops a lead, or takes points
  from it, for what is not known.

Nothing of the lead is overwritten. A normal form is a fact beside the field, a better spelling is a suggestion. Facts
stand in conditions of scorecards, orders and teams under their key; there, a fact that is unknown or not there is
absent. Where several sources speak to one key, the surest that knows counts.

A vertical's scorecard says what a fact is worth ([packs.md](packs.md)).
"""


def page() -> str:
    """The page."""
    parts = [HEAD]
    for title in GROUPS:
        parts.append(f"\n## {title}\n\n| key | what it says | from | unknown or absent |\n| --- | --- | --- | --- |\n")
        parts += [
            f"| `{key}` | {one.says} | {one.source} | {one.unknown} |\n"
            for key, one in KEYS.items()
            if heading(key) == title
        ]
    parts.append("\nA provider plug-in adds keys of its own; [plugins.md](plugins.md) says how.\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page()) if "--show" in sys.argv else Path("docs/facts.md").write_text(page(), encoding="utf-8")
