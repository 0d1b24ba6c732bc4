"""The vault: sealing, wrapping, hashing, and where the master key comes from."""

import base64
import hmac
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import Permanent
from leadmill.runtime.vault import ENVIRONMENT, FILE, Keying, Vault, load_master

VAULT = Vault(bytes(range(32)))


@given(data=st.binary(max_size=200), context=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_is_sealed_opens_again(data: bytes, context: str) -> None:
    dek, wrapped = VAULT.new_key()
    sealed = VAULT.seal(dek, data, context)
    assert VAULT.open(VAULT.unwrap(wrapped), sealed, context) == data
    assert not data or len(data) < 4 or data not in sealed


def test_sealing_twice_gives_different_bytes() -> None:
    dek, _ = VAULT.new_key()
    assert VAULT.seal(dek, b"x", "a") != VAULT.seal(dek, b"x", "a")


def test_sealed_data_does_not_open_elsewhere_or_changed() -> None:
    dek, _ = VAULT.new_key()
    other, _ = VAULT.new_key()
    sealed = VAULT.seal(dek, b"secret", "lead_1/fields")
    changed = bytes([*sealed[:-1], sealed[-1] ^ 1])
    tries = [(other, sealed, "lead_1/fields"), (dek, sealed, "lead_2/fields"), (dek, changed, "lead_1/fields")]
    for key, body, context in [*tries, (dek, b"", "lead_1/fields"), (dek, b"\x02" + sealed[1:], "lead_1/fields")]:
        with pytest.raises(Permanent, match=r"vault\.seal\.broken"):
            VAULT.open(key, body, context)


def test_a_destroyed_key_says_so() -> None:
    with pytest.raises(Permanent, match=r"vault\.key\.destroyed"):
        VAULT.unwrap(b"")


def test_a_key_wrapped_under_another_master_says_so() -> None:
    _, wrapped = Vault(bytes(32)).new_key()
    for foreign in (wrapped, b"rubbish", wrapped[:20]):
        with pytest.raises(Permanent, match=r"vault\.key\.foreign"):
            VAULT.unwrap(foreign)


def test_hashes_are_stable_and_differ_by_purpose_text_and_master() -> None:
    made = VAULT.keyed_hash("email", "a@example.com")
    assert len(made) == 16
    assert made == Vault(bytes(range(32))).keyed_hash("email", "a@example.com")
    others = [
        VAULT.keyed_hash("phone", "a@example.com"),
        VAULT.keyed_hash("email", "b@example.com"),
        Vault(bytes(32)).keyed_hash("email", "a@example.com"),
    ]
    assert made not in others
    assert len(VAULT.keyed_hash("email", "\ud800")) == 16


def test_the_master_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key = load_master(home, {})
    assert load_master(home, {}) == key
    assert (home / FILE).stat().st_mode & 0o777 == 0o600
    assert os.listdir(home) == [FILE]


def test_programs_that_start_together_agree_on_the_master_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    start = threading.Barrier(8)

    def load() -> None:
        start.wait()
        found.append(load_master(tmp_path, {}))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    "write",
    [bytes.hex, lambda b: base64.b64encode(b).decode(), lambda b: base64.urlsafe_b64encode(b).decode().rstrip("=")],
)
def test_the_environment_comes_before_the_file(tmp_path: Path, write: object) -> None:
    key = bytes(range(220, 252))
    assert load_master(tmp_path, {ENVIRONMENT: write(key) + "\n"}) == key  # type: ignore[operator]
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("text", ["short", "zz" * 32, "é" * 43, "00" * 31])
def test_a_malformed_master_key_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Permanent, match=r"vault\.master\.malformed"):
        load_master(tmp_path, {ENVIRONMENT: text})


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=200))
def test_a_keyed_hash_is_the_standard_one(key: bytes, data: bytes) -> None:
    assert Keying(key).digest(data) == hmac.digest(key, data, "sha256")
