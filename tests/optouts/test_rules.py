"""What is read of opt-outs: contact details, the token of one click, lists."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.core.faults import BadInput, NotFound
from leadmill.optouts import (
    Contact,
    Entry,
    Ticket,
    contact_of,
    contact_or_fault,
    keys_of,
    open_ticket,
    read_lines,
    seal_ticket,
    within,
)
from leadmill.policy import listed_key
from leadmill.runtime.vault import Vault

VAULT = Vault(bytes(range(32)))
HASH = VAULT.keyed_hash


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana.Lopez+solar@GMAIL.com", "analopez@gmail.com"),
        ("ANA@example.com", "ana@example.com "),
        ("(916) 200-0101", "+19162000101"),
        ("1 916 200 0101", "9162000101"),
    ],
)
def test_one_contact_detail_is_one_hash_however_it_is_written(one: str, other: str) -> None:
    assert contact_of(HASH, one) == contact_of(HASH, other) is not None


@pytest.mark.parametrize("text", ["", "stop", "ana@", "555-0101", "@", "ana@example", "+1 916"])
def test_what_is_neither_address_nor_number_is_refused_where_it_stands(text: str) -> None:
    assert contact_of(HASH, text) is None
    with pytest.raises(BadInput) as caught:
        contact_or_fault(HASH, text, "/optouts/3/phone")
    assert caught.value.errors[0].pointer == "/optouts/3/phone"


def test_a_scope_closes_its_own_kinds_and_each_once() -> None:
    phone, email = Contact("phone", b"p"), Contact("email", b"e")
    assert within("all", [phone, email, phone]) == [phone, email]
    assert within("phone", [phone, email]) == [phone]
    assert within("email", [phone]) == []


def test_a_token_tells_nothing_differs_each_time_and_opens_to_what_was_sealed() -> None:
    ticket = Ticket("lead_01k0000000000000000000000a", b"0123456789abcdef")
    one, other = (seal_ticket(HASH, VAULT.seal, ticket) for _ in range(2))
    assert one != other
    assert "lead_01k" not in one and base64.urlsafe_b64encode(ticket.email).rstrip(b"=").decode()[:10] not in one
    assert open_ticket(HASH, VAULT.open, one) == open_ticket(HASH, VAULT.open, other) == ticket


@given(place=st.integers(min_value=0), sign=st.sampled_from("abcXYZ019-_=%/.é\0"))
def test_a_token_with_a_sign_changed_is_none_of_ours(place: int, sign: str) -> None:
    token = seal_ticket(HASH, VAULT.seal, Ticket("lead_1", b"hash"))
    at = place % len(token)
    changed = token[:at] + sign + token[at + 1 :]
    if changed != token:
        with pytest.raises(NotFound):
            open_ticket(HASH, VAULT.open, changed)


@given(st.text(max_size=200))
def test_no_text_opens_as_a_token(text: str) -> None:
    with pytest.raises(NotFound):
        open_ticket(HASH, VAULT.open, text)


def test_a_token_of_another_installation_is_none_of_ours() -> None:
    other = Vault(bytes(32))
    token = seal_ticket(other.keyed_hash, other.seal, Ticket("lead_1", b"hash"))
    with pytest.raises(NotFound):
        open_ticket(HASH, VAULT.open, token)


def test_a_list_is_read_with_or_without_heading_columns_and_quotes() -> None:
    lines = ["\ufeffEmail,Name", "ana@example.com,Ana", "", "# old ones", '"916 200 0101"', "A" * 64, "what"]
    assert list(read_lines(lines)) == [
        Entry(2, "ana@example.com"),
        Entry(5, "916 200 0101"),
        Entry(6, "A" * 64, digest=True),
        Entry(7, "what"),
    ]


def test_a_lead_is_looked_up_under_every_form_that_lists_hash() -> None:
    keys = keys_of(HASH, {"email": "Ana@Example.com", "phone": "(916) 200-0101"})
    forms = ["ana@example.com", "+19162000101", "19162000101", "9162000101"]
    listed = [hashlib.sha256(form.encode()).hexdigest() for form in forms]
    assert {listed_key(HASH, one.upper()) for one in listed} < set(keys)
    assert len(keys) == len(set(keys)) == len(forms) + 2
