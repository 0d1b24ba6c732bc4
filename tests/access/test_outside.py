"""What another house's token may say, and each way in which it may lie; told without a network."""

import hmac
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from leadmill.access import Provider
from leadmill.access.model import Errand, Metadata
from leadmill.access.outside import (
    asks_for_tokens,
    read_id_token,
    read_keys,
    read_metadata,
    read_tokens,
    sends_to,
)
from leadmill.core.conversation import HttpReply
from leadmill.core.faults import Permanent, Unauthenticated

KEY = ECKey.generate_key("P-256", {"kid": "one"})
KEYS = KeySet([KEY])
HOUSE = Provider(issuer="https://id.example", client_id="leadmill", secret="ID_SECRET", domains=("example.com",))
NOW = int(time.time())
SAID: dict[str, Any] = {
    "iss": "https://id.example",
    "sub": "7",
    "aud": "leadmill",
    "iat": NOW,
    "exp": NOW + 300,
    "nonce": "n",
    "email": "Ana@Example.com",
    "email_verified": True,
    "groups": ["sales"],
}
ERRAND = Errand("state", "n", "v" * 44, "/orders")
THERE = Metadata(
    "https://id.example", "https://id.example/authorize", "https://id.example/token", "https://id.example/keys"
)


def token(**more: Any) -> str:
    return jwt.encode({"alg": "ES256", "kid": "one"}, {**SAID, **more}, KEY)


def test_a_right_token_says_who_it_is() -> None:
    found = read_id_token(token(amr=["pwd", "otp"]), KEYS, HOUSE, "n", NOW)
    assert (found.subject, found.email, found.groups, found.strong) == ("7", "ana@example.com", ("sales",), True)
    assert not read_id_token(token(amr=["pwd"]), KEYS, HOUSE, "n", NOW).strong
    assert read_id_token(token(groups="sales"), KEYS, HOUSE, "n", NOW).groups == ("sales",)


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"iss": "https://id.evil.example"},
        {"aud": "somebody-else"},
        {"aud": ["leadmill", "somebody-else"], "azp": "leadmill"},
        {"aud": []},
        {"azp": "somebody-else"},
        {"exp": NOW - 61},
        {"exp": None},
        {"exp": "soon"},
        {"iat": NOW + 600},
        {"nbf": NOW + 600},
        {"sub": None},
        {"at_hash": "AAAA"},
    ],
)
def test_a_token_that_lies_is_refused(lie: dict[str, Any]) -> None:
    said = {name: value for name, value in {**SAID, **lie}.items() if value is not None}
    lying = jwt.encode({"alg": "ES256", "kid": "one"}, said, KEY)
    with pytest.raises(Unauthenticated, match=r"access\.outside\.failed"):
        read_id_token(lying, KEYS, HOUSE, "n", NOW, "the access token")


def by_hmac(secret: bytes) -> str:
    """A token signed with what everybody may read: the oldest trick with two kinds of signature."""
    head = b64(b'{"alg": "HS256"}')
    said = f"{head}.{token().split('.')[1]}"
    return f"{said}.{b64(hmac.digest(secret, said.encode(), 'sha256'))}"


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def test_only_the_houses_own_signature_counts() -> None:
    unsigned = ".".join([token().split(".")[0], token().split(".")[1], ""])
    none = f"eyJhbGciOiJub25lIn0.{token().split('.')[1]}."
    lies = [
        none,
        unsigned,
        "",
        "a.b.c",
        by_hmac(KEY.as_pem(private=False)),
        jwt.encode({"alg": "HS256"}, SAID, OctKey.import_key("a secret of the client that is long enough")),
        jwt.encode({"alg": "ES256", "kid": "one"}, SAID, ECKey.generate_key("P-256", {"kid": "one"})),
        jwt.encode({"alg": "RS256", "kid": "two"}, SAID, RSAKey.generate_key(2048, {"kid": "two"})),
    ]
    for lie in lies:
        with pytest.raises(Unauthenticated, match=r"access\.outside\.failed"):
            read_id_token(lie, KEYS, HOUSE, "n", NOW)


def test_a_browser_is_sent_with_everything_it_must_bring_back() -> None:
    to = sends_to(THERE, HOUSE, ERRAND, "https://leads.example/sign-in/elsewhere/back")
    assert to.startswith("https://id.example/authorize?response_type=code&client_id=leadmill&")
    assert "state=state" in to and "nonce=n" in to and "code_challenge_method=S256" in to
    assert "v" * 44 not in to


def test_the_secret_is_named_and_never_shown() -> None:
    ask = asks_for_tokens(THERE, HOUSE, ERRAND, "a code", "https://leads.example/back")
    assert (ask.sign, ask.sign_name, ask.secret) == ("basic", "leadmill", "ID_SECRET")
    assert b"code_verifier=" + b"v" * 44 in ask.body and b"code=a+code" in ask.body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"issuer": "https://id.evil.example", "authorization_endpoint": "https://a", "token_endpoint": "https://b",'
        b' "jwks_uri": "https://c"}',
        b'{"issuer": "https://id.example", "authorization_endpoint": "http://a", "token_endpoint": "https://b",'
        b' "jwks_uri": "https://c"}',
    ],
)
def test_a_house_that_says_it_is_another_is_broken(body: bytes) -> None:
    with pytest.raises(Permanent, match=r"access\.provider\.broken"):
        read_metadata(HttpReply(200, body=body), HOUSE)


def test_broken_answers_are_told_apart() -> None:
    with pytest.raises(Permanent, match=r"access\.provider\.broken"):
        read_keys(HttpReply(200, body=b'{"keys": [{"kty": "none"}]}'))
    with pytest.raises(Unauthenticated, match=r"access\.outside\.failed"):
        read_tokens(HttpReply(400, body=b'{"error": "invalid_grant"}'))
    with pytest.raises(Permanent, match=r"access\.provider\.broken"):
        read_tokens(HttpReply(200, body=b'{"access_token": "at"}'))
