"""Normal forms."""

import pytest

from leadmill.identity.rules import email_key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("ann.lee+solar@gmail.com", "annlee@gmail.com"),
        ("A.n.n.Lee@GoogleMail.com", "annlee@gmail.com"),
        ("ann.lee+solar@example.com", "ann.lee+solar@example.com"),
        ("Ann@Example.com", "ann@example.com"),
    ],
)
def test_one_mailbox_has_one_key(address: str, key: str) -> None:
    assert email_key(address) == key
