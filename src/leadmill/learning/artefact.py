"""A model's folder: plain files, each with its digest, read back only if they are what was written.

``model.json`` is the form, ``trees.txt`` LightGBM's own text (where there are trees), ``card.json`` and ``card.md`` the
model card, ``calibration.svg`` its picture (absent where an older version wrote it), ``manifest.json`` the digests.
Nothing in it can run. One ``bytes`` holds the same files for a store.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from leadmill.core.faults import BadInput
from leadmill.learning.cells import EDITIONS
from leadmill.learning.model import FORMAT, READ, Card, Form, Manifest, encode_form
from leadmill.learning.scoring import Model
from leadmill.learning.trees import Trees

MODEL, TREES, CARD, CARD_TEXT, MANIFEST = "model.json", "trees.txt", "card.json", "card.md", "manifest.json"
PICTURE = "calibration.svg"
_FILES = (MODEL, TREES, CARD, CARD_TEXT, PICTURE)
_LARGEST = 200 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


def digest_of(model: bytes, trees: bytes) -> str:
    """What a model is called: SHA-256 over its form and its trees, each with its length."""
    told = hashlib.sha256()
    for part in (model, trees):
        told.update(len(part).to_bytes(8, "big"))
        told.update(part)
    return told.hexdigest()


def free(folder: Path) -> None:
    """Raises :class:`BadInput` ``learning.folder.taken`` where a folder holds something that is no model."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MANIFEST).is_file())):
        raise BadInput("learning.folder.taken", f"{folder} holds something that is no model; name a new folder")


def write_folder(folder: Path, form: Form, trees: bytes, card: bytes, card_text: str, picture: str = "") -> None:
    """Write a model's files. A folder that holds something else is refused with ``learning.folder.taken``."""
    free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = {MODEL: encode_form(form), CARD: card, CARD_TEXT: card_text.encode()}
    if trees:
        files[TREES] = trees
    if picture:
        files[PICTURE] = picture.encode()
    for name in _FILES:
        if name in files:
            (folder / name).write_bytes(files[name])
        else:
            (folder / name).unlink(missing_ok=True)
    sums = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    manifest = Manifest(FORMAT, digest_of(files[MODEL], trees), sums)
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")


def pack_model(folder: Path) -> bytes:
    """A model's folder as one ``bytes``, always the same for the same files. Raises :class:`BadInput` as
    :func:`read_model` does."""
    files = _of_folder(folder)
    _verified(files)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (MANIFEST, *_FILES):
            if name in files:
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name], zipfile.ZIP_DEFLATED)
    return made.getvalue()


def unpack_model(packed: bytes, folder: Path) -> None:
    """Write what :func:`pack_model` made as a folder again. Raises :class:`BadInput` as :func:`read_model` does."""
    files = _of_bytes(packed)
    _verified(files)
    free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)


def read_model(source: Path | bytes) -> Model:
    """A model from its folder, or from what :func:`pack_model` made of it, once its digests hold.

    Raises :class:`BadInput` ``learning.model.none`` where there is no model, ``learning.model.altered`` where a file is
    not the one that was written, ``learning.model.version`` where another version wrote it; :class:`Permanent`
    ``learning.trees.missing`` where LightGBM cannot be loaded."""
    files = _of_bytes(source) if isinstance(source, bytes) else _of_folder(source)
    manifest = _verified(files)
    try:
        form = msgspec.json.decode(files[MODEL], type=Form)
        card = msgspec.json.decode(files.get(CARD, b"{}"), type=Card)
    except msgspec.DecodeError:
        raise BadInput("learning.model.version", "the model was written by another version; train it again") from None
    if form.cells not in EDITIONS:
        raise BadInput("learning.model.version", "the model reads cells in a later edition; update Leadmill")
    trees = Trees(files[TREES], len(form.features)) if TREES in files else None
    return Model(form, trees, manifest.digest, card)


def _verified(files: Mapping[str, bytes]) -> Manifest:
    if MANIFEST not in files or MODEL not in files:
        raise BadInput("learning.model.none", f"there is no model: {MANIFEST} or {MODEL} is missing")
    try:
        manifest = msgspec.json.decode(files[MANIFEST], type=Manifest)
    except msgspec.DecodeError:
        raise BadInput("learning.model.altered", f"{MANIFEST} is not as it was written") from None
    if manifest.format not in READ:
        raise BadInput("learning.model.version", "the model was written by another version; train it again")
    present = {name for name in files if name != MANIFEST}
    for name in sorted(present ^ set(manifest.files)):
        raise BadInput("learning.model.altered", f"{name} does not belong to the model, or is missing")
    for name, expected in manifest.files.items():
        if hashlib.sha256(files[name]).hexdigest() != expected:
            raise BadInput("learning.model.altered", f"{name} is not as it was written")
    if digest_of(files[MODEL], files.get(TREES, b"")) != manifest.digest:
        raise BadInput("learning.model.altered", "the digest is not of these files")
    return manifest


def _of_folder(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (MANIFEST, *_FILES) if (folder / name).is_file()}


def _of_bytes(packed: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            entries = [one for one in archive.infolist() if one.filename in (MANIFEST, *_FILES)]
            if sum(one.file_size for one in entries) > _LARGEST:
                raise BadInput("learning.model.none", "what was given unpacks to more than a model is")
            return {one.filename: archive.read(one) for one in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise BadInput("learning.model.none", "what was given is no packed model") from None
