"""The vault: personal data sealed with a key a person, and hashes by which it can still be found.

Called by whoever stores or looks up personal data; the master key is loaded once in ``main``. Each person has a data
key of their own, kept only in wrapped form. Whoever destroys the wrapped key erases the person from every table,
backup and journal page at once. Promises: what is sealed can be opened only with the same key and in the same
context, and any change is noticed; a keyed hash tells nothing to someone without the master key.
"""

import base64
import binascii
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from leadmill.core.faults import Permanent

ENVIRONMENT = "LEADMILL_MASTER_KEY"
"""The variable that may hold the master key: 32 bytes as hex or base64."""

FILE = "master.key"
"""The file in the home folder that holds the master key where the variable does not."""

_KEY_BYTES = 32
_NONCE_BYTES = 12
_HASH_BYTES = 16
_BLOCK_BYTES = 64
_FORMAT = b"\x01"
"""The first byte of everything sealed or wrapped, so that another cipher can be told apart one day."""


class Keying:
    """HMAC-SHA-256 (RFC 2104) under one key, of which both pads are hashed once: a lead is looked up under some thirty
    hashes, and :func:`hmac.digest` takes twice as long for texts as short as these."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """``key`` has at most 64 bytes."""
        padded = key.ljust(_BLOCK_BYTES, b"\x00")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def digest(self, data: bytes) -> bytes:
        """The code of ``data``."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()


class Vault:
    """Wraps data keys, seals with them, and makes look-up hashes, all under one master key of 32 bytes.

    ``older`` are master keys whose wrappings can still be read: while the master key is changed there are two. Look-up
    hashes are made under ``root``, which stays when the master key changes, because what they stand for is mostly not
    kept anywhere and could not be hashed anew; without one it is the master key itself.
    """

    def __init__(self, master: bytes, older: Sequence[bytes] = (), root: bytes | None = None) -> None:
        self.take(master, older, root)

    def take(self, master: bytes, older: Sequence[bytes] = (), root: bytes | None = None) -> None:
        """Go on under another master key, in a running program."""
        if any(len(key) != _KEY_BYTES for key in (master, *older, root or master)):
            raise Permanent("vault.master.malformed", "the master key must be 32 bytes")
        self.master, self.older, self._root = master, tuple(older), root or master
        self._wrappings = [AESGCM(_derive(key, "wrap")) for key in (master, *older)]
        self._keyings: dict[str, Keying] = {}

    @property
    def root(self) -> bytes:
        """What look-up hashes are made under."""
        return self._root

    def new_key(self) -> tuple[bytes, bytes]:
        """A fresh data key: in the clear for use now, and wrapped for keeping."""
        dek = secrets.token_bytes(_KEY_BYTES)
        return dek, self.wrap(dek)

    def wrap(self, dek: bytes) -> bytes:
        """A data key wrapped under the master key."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._wrappings[0].encrypt(nonce, dek, _FORMAT)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The data key in the clear.

        Raises :class:`Permanent` ``vault.key.destroyed`` for an empty wrapping, which is what forgetting a person
        leaves, and ``vault.key.foreign`` for one made under another master key or altered since.
        """
        return self._unwrapped(wrapped)[0]

    def rewrap(self, wrapped: bytes) -> bytes | None:
        """The same data key wrapped under the present master key; None where it is already. Raises as
        :meth:`unwrap`."""
        dek, place = self._unwrapped(wrapped)
        return self.wrap(dek) if place else None

    def _unwrapped(self, wrapped: bytes) -> tuple[bytes, int]:
        if not wrapped:
            raise Permanent("vault.key.destroyed", "this person has been forgotten")
        nonce, body = _split(wrapped, "vault.key.foreign")
        for place, wrapping in enumerate(self._wrappings):
            try:
                return wrapping.decrypt(nonce, body, _FORMAT), place
            except InvalidTag:
                continue
        raise Permanent(
            "vault.key.foreign",
            f"sealed under another master key: restore the {FILE} that belongs to this database",
        )

    def seal(self, dek: bytes, data: bytes, context: str) -> bytes:
        """Encrypt ``data`` (AES-256-GCM). ``context`` says where the result belongs, such as ``lead_01k…/submission``;
        it is not stored and must be given again to open it, so that sealed values cannot be swapped around."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + AESGCM(dek).encrypt(nonce, data, context.encode())

    def open(self, dek: bytes, sealed: bytes, context: str) -> bytes:
        """What was sealed. Raises :class:`Permanent` ``vault.seal.broken`` for another key, another context or a
        changed byte."""
        nonce, body = _split(sealed, "vault.seal.broken")
        try:
            return AESGCM(dek).decrypt(nonce, body, context.encode())
        except InvalidTag:
            raise Permanent("vault.seal.broken", "sealed data does not open with this key in this place") from None

    def keyed_hash(self, purpose: str, text: str) -> bytes:
        """Sixteen bytes that stand for ``text`` in look-ups of one ``purpose`` (``email``, ``api-key``, …).

        Callers normalise first: ``A@x`` and ``a@x`` hash differently. The same text gives unrelated hashes for two
        purposes.
        """
        keying = self._keyings.get(purpose)
        if keying is None:
            keying = self._keyings.setdefault(purpose, Keying(_derive(self._root, f"hash/{purpose}")))
        return keying.digest(text.encode("utf-8", "surrogatepass"))[:_HASH_BYTES]


def fingerprint(master: bytes) -> str:
    """Sixteen hex digits by which a master key can be named without telling anything of it."""
    return _derive(master, "fingerprint")[:8].hex()


def _derive(master: bytes, purpose: str) -> bytes:
    """A key of its own for each use (HKDF, RFC 5869), so that no two uses can be played against each other."""
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"leadmill/{purpose}".encode()).derive(master)


def _split(sealed: bytes, code: str) -> tuple[bytes, bytes]:
    if sealed[:1] != _FORMAT or len(sealed) <= _NONCE_BYTES:
        raise Permanent(code, "not something this vault has sealed")
    return sealed[1 : _NONCE_BYTES + 1], sealed[_NONCE_BYTES + 1 :]


def load_master(home: Path, env: Mapping[str, str]) -> bytes:
    """The master key: from :data:`ENVIRONMENT`, else from :data:`FILE` in the home folder, which is made on the first
    call, readable by its owner only.

    Raises :class:`Permanent` ``vault.master.malformed`` where what is found is no key of 32 bytes. Whoever loses the
    key loses every personal field: it belongs in a backup, apart from the database's.
    """
    if given := env.get(ENVIRONMENT, "").strip():
        return read_key(given, ENVIRONMENT)
    path = home / FILE
    if not path.exists():
        _make_key(path)
    with suppress(OSError):
        path.chmod(0o600)
    return read_key(path.read_text(errors="replace").strip(), str(path))


def replace_master(home: Path, master: bytes) -> None:
    """Put another master key into the home's file, whole or not at all."""
    _write_key(home / FILE, master, os.replace)


def set_aside(home: Path) -> Path | None:
    """Put the home's key aside under its fingerprint, where another is to take its place; where it lies now, None where
    there was none."""
    path = home / FILE
    if not path.exists():
        return None
    key = read_key(path.read_text(errors="replace").strip(), str(path))
    aside = home / f"{FILE}.{fingerprint(key)}"
    if not aside.exists():
        _write_key(aside, key, os.replace)
    return aside


def _make_key(path: Path) -> None:
    """Write a fresh key; of two programs that try at once, the first one's stands."""
    with suppress(FileExistsError):
        _write_key(path, secrets.token_bytes(_KEY_BYTES), os.link)


def _write_key(path: Path, key: bytes, put: Callable[[Path, Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        put(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # what is sealed from now on must not outlive the key's directory entry
    finally:
        os.close(folder)


def read_key(text: str, place: str) -> bytes:
    """A key of 32 bytes written as hex or base64. Raises :class:`Permanent` ``vault.master.malformed``, naming its
    place."""
    try:
        if len(text) == 2 * _KEY_BYTES:
            key = bytes.fromhex(text)
        else:
            key = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != _KEY_BYTES:
        raise Permanent("vault.master.malformed", f"{place} must hold 32 bytes as hex or base64")
    return key
