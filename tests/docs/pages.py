"""The project's pages as their tests read them: prose, links, and fenced blocks with the words behind the fence.

A block's first word is its language, the second what it is an example of: ``toml business``, ``json lead``,
``bash run``. Only blocks with such a word are put to the test; :data:`KINDS` lists them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.sources import ROOT, project_files, where

_FENCE = re.compile(r"^(`{3,})[ ]*([^\n`]*)\n(.*?)^\1[ ]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")

KINDS = {
    "bash run": "commands of the program, curl and export, each of which must exist as written",
    "toml business": "a file for `leadmill apply`",
    "toml speakers": "sources and buyers of dialects, for `leadmill apply`",
    "toml dialect-in": "a dialect's inbound.toml",
    "toml dialect-out": "a dialect's outbound.toml",
    "toml map": "a map of a file, with its vertical behind it",
    "toml providers": "providers, chains and authority, for `leadmill apply`",
    "toml declared": "how leads are rated and reviewed, for `leadmill apply`",
    "toml certificates": "vendors of certificates and their chains, for `leadmill apply`",
    "toml pack": "a vertical's pack.toml",
    "toml identity": "the [identity] table of a vertical's pack.toml",
    "toml fields": "a vertical's fields.toml",
    "toml scorecard": "a vertical's scorecard.toml",
    "toml fairness": "a vertical's fairness.toml",
    "toml fraud": "the [fraud] table of a vertical's pack.toml",
    "toml messages": "a messages.toml",
    "toml law": "a law's rules.toml, examples and all",
    "toml card": "the stranger's card.toml",
    "toml golden": "the stranger's recorded conversation",
    "python pigeon": "the stranger's code",
    "json lead": "a body of POST /v1/leads",
    "text form-lead": "the same, form-encoded",
    "json answer": "its answer",
    "json ping": "a body of POST /v1/ping",
    "json ping-answer": "its answer",
    "json post": "a body of POST /v1/post",
    "json problem": "a problem",
    "json outcome": "a body of POST /v1/outcomes",
    "json known": "a body of POST /v1/known",
    "json case": "a case of leadmill policy check",
    "json optout": "a body of POST /v1/optouts",
    "json summary": "an import's summary",
    "csv clusters": "the first lines that `leadmill resolve` gives for its example",
    "toml columns": "a map of `leadmill resolve`",
}
"""What a fence may say, and how the block behind it is tested."""


@dataclass(frozen=True)
class Block:
    """A fenced block: the page, the line of its fence, its language, what it is an example of, and its text."""

    page: Path
    line: int
    language: str
    kind: str
    text: str

    @property
    def name(self) -> str:
        """Where it stands, for a test's name."""
        return where(self.page, self.line)


def pages() -> list[Path]:
    """Every page of the project."""
    return [path for path in project_files() if path.suffix == ".md"]


def blocks_of(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        language, _, kind = found[2].strip().partition(" ")
        yield Block(page, text.count("\n", 0, found.start()) + 1, language, kind.strip(), found[3])


def blocks(language: str, kind: str = "") -> list[Block]:
    """The blocks of all pages in this language, and of this kind where one is named."""
    found = (block for page in pages() for block in blocks_of(page))
    return [block for block in found if block.language == language and kind in ("", block.kind)]


def prose_of(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links_of(page: Path) -> list[str]:
    """The targets of a page's links and pictures that lie in the repository, without their fragments."""
    found = (one or other for one, other in _LINK.findall(prose_of(page)))
    inner = (target.partition("#")[0] for target in found if not re.match(r"[a-z][a-z0-9+.-]*:", target))
    return [target for target in inner if target]


__all__ = ["KINDS", "ROOT", "Block", "blocks", "blocks_of", "links_of", "pages", "prose_of", "where"]
