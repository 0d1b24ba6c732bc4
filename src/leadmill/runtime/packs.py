"""Packs: rules that are data, found in folders and read as they stand.

Used by ``main``, which hands each pack to the package that understands it: this module reads TOML and counts digests,
and has never heard of what the keys mean. A digest covers every file of a pack, so a decision that names it says
exactly which rules were in force.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from leadmill.core.faults import Permanent

BUILT_IN = Path(__file__).resolve().parents[1] / "packs"
"""The packs that come with Leadmill."""

KINDS = ("verticals", "laws", "dialects", "common")


class Pack(Struct, frozen=True):
    """One pack: its ``kind`` and ``name``, the hex SHA-256 over its files' names and bytes, and its TOML files
    decoded, by file name relative to the pack (``fields.toml``)."""

    kind: str
    name: str
    digest: str
    files: dict[str, dict[str, Any]]

    def file(self, name: str) -> dict[str, Any]:
        """A file of the pack. Raises :class:`Permanent` ``packs.file.missing`` where it has none of that name."""
        found = self.files.get(name)
        if found is None:
            raise Permanent("packs.file.missing", f"the pack {self.kind}/{self.name} has no {name}")
        return found


class Packs(Struct, frozen=True):
    """Every pack by kind and name. ``common`` is one pack of what all verticals share."""

    verticals: dict[str, Pack]
    laws: dict[str, Pack]
    common: Pack
    dialects: dict[str, Pack] = {}

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each pack by ``kind/name``: what a decision records."""
        every = [*self.verticals.values(), *self.laws.values(), *self.dialects.values(), self.common]
        return {f"{pack.kind}/{pack.name}": pack.digest for pack in every}


def digest_of(files: Mapping[str, bytes]) -> str:
    """The hex SHA-256 over the sorted names and bytes of ``files``; each part goes in with its length before it, so
    that no two sets of files share a digest."""
    whole = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
    return whole.hexdigest()


def read_pack(kind: str, folder: Path) -> Pack:
    """The pack in ``folder``, named after it. Raises :class:`Permanent` ``packs.file.malformed`` with the file and
    the place where a TOML file cannot be read."""
    raw: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and not any(part.startswith((".", "__")) for part in inner.parts):
            raw[inner.as_posix()] = path.read_bytes()
    decoded: dict[str, dict[str, Any]] = {}
    for name, content in raw.items():
        # Recorded conversations are played by tests; they belong to the pack but nobody reads them at the start.
        if name.endswith(".toml") and not name.startswith("golden/"):
            try:
                decoded[name] = tomllib.loads(content.decode("utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
                raise Permanent("packs.file.malformed", f"{kind}/{folder.name}/{name}: {fault}") from fault
    return Pack(kind, folder.name, digest_of(raw), decoded)


def load_packs(root: Path = BUILT_IN, *more: Path) -> Packs:
    """The packs under ``root``, then those under ``more``: a later pack of the same kind and name replaces an earlier
    one whole. Raises :class:`Permanent` ``packs.folder.missing`` where a root does not exist or none brings common
    fields."""
    found: dict[str, dict[str, Pack]] = {"verticals": {}, "laws": {}, "dialects": {}}
    common: Pack | None = None
    for place in (root, *more):
        if not place.is_dir():
            raise Permanent("packs.folder.missing", f"there is no folder of packs at {place.name}")
        for kind, packs in found.items():
            for folder in sorted((place / kind).glob("*")):
                if folder.is_dir() and not folder.name.startswith((".", "__")):
                    packs[folder.name] = read_pack(kind, folder)
        if (place / "common").is_dir():
            common = read_pack("common", place / "common")
    if common is None:
        raise Permanent("packs.folder.missing", "no folder of packs brings common/fields.toml")
    return Packs(found["verticals"], found["laws"], common, found["dialects"])
