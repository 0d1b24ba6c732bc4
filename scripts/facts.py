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

A vertical says in the `[facts]` table of its `pack.toml` which failed facts stop a lead and which ask for a person
([packs.md](packs.md#packtoml)); its scorecard says what the others cost.

## What is looked up, and what that costs

Almost everything is found out from the lead itself and from data that come with the installation: about a tenth of a
millisecond for a lead with every field ([performance.md](performance.md#bench-intake) measures it). Addresses of the
usual shape are read by a rule in some microseconds; only the others go to a parser, which takes a fifth of a
millisecond.

One question leaves the machine: whether the mail domain takes mail. It names the domain alone, never the address, and
domains reserved for examples are not asked about. A lead waits at most `LEADMILL_MX_MS` for it; the answer is kept in
memory for as long as its record says (a minute to a day), so that most leads wait for nothing. Where name servers fail,
the question rests for half a minute and longer each time, and the fact is unknown: a machine without a network loses
the first few waits and no lead. `LEADMILL_MX_LOOKUPS=off` turns it off.

Where an IP address is, is read from files of MaxMind's format named in `LEADMILL_IP_FILES` (cities, networks, anonymous
addresses; MaxMind, DB-IP, IPinfo and others publish such files). A file that is replaced is taken up within a minute.
Without files these facts are unknown.

What was heard is recorded with the lead, sealed: `leadmill replay` hears it again, whatever the network says by then.

## Names

A person whose name is taken for none loses more than a buyer gains. Every rule on names is therefore held against
the 92,000 names of the US Census and a list of names from elsewhere: of the Census' one is doubted (Test), and of
those that the letters' likelihood was not learned from, fewer than one in five thousand. Words are judged whole, so
that Scunthorpe and Cockburn are names; what anybody is called counts as no oath. Of keys struck at random the rules
see about seven in ten.
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
