"""Writes docs/law from the law packs. Run after changing a pack or what a rule is told as."""

import sys
from pathlib import Path

from leadmill.policy.service import law_pages, read_laws

FOLDER = Path("docs/law")


def main() -> None:
    """Write every page, and take away those of packs that are gone."""
    made = law_pages(read_laws())
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(made)} pages\n")


if __name__ == "__main__":
    main()
