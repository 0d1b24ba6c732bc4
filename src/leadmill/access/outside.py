"""Sign-in by another house, purely: OpenID Connect's authorization code flow with PKCE, and the check of what comes
back.

Nothing is asked for here: the verbs beside it perform the asks that these functions make. Tokens are judged with
``authlib`` and ``joserfc``; only signatures with a key of the provider's count, never ``none`` and never one made with
the client's secret."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from leadmill.access.model import Claims, Errand, Metadata, Provider
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Permanent, Unauthenticated

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
LEEWAY = 60
"""Seconds that the provider's clock may be off."""
_STRONG = frozenset({"mfa", "otp", "hwk", "swk", "fpt", "face", "pop", "sc"})
"""Ways of proof (RFC 8176) that are more than a password."""


class _Tokens(Struct):
    id_token: str
    access_token: str = ""


def where_metadata_is(provider: Provider) -> HttpAsk:
    """The ask for what the provider says of itself."""
    return _asking(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")


def where_keys_are(metadata: Metadata) -> HttpAsk:
    """The ask for the provider's keys."""
    return _asking(metadata.jwks_uri)


def _asking(url: str) -> HttpAsk:
    return HttpAsk("GET", url, {"Accept": "application/json"}, budget_ms=5_000, idempotent=True)


def read_metadata(reply: HttpReply, provider: Provider) -> Metadata:
    """What the provider says of itself. Raises :class:`Permanent` ``access.provider.broken`` where it is another one
    than was asked."""
    metadata: Metadata = _decoded(reply, Metadata)
    if metadata.issuer.rstrip("/") != provider.issuer.rstrip("/"):
        raise Permanent("access.provider.broken", "it says that it is another one")
    scheme = urlsplit(provider.issuer).scheme
    for url in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
        if urlsplit(url).scheme != scheme and urlsplit(url).scheme != "https":
            raise Permanent("access.provider.broken", "an address of it is less safe than its own")
    return metadata


def read_keys(reply: HttpReply) -> KeySet:
    """The provider's keys. Raises :class:`Permanent` ``access.provider.broken``."""
    try:
        return KeySet.import_key_set(_decoded(reply, dict[str, Any]))
    except (JoseError, ValueError, KeyError, TypeError):
        raise Permanent("access.provider.broken", "its keys cannot be read") from None


def sends_to(metadata: Metadata, provider: Provider, errand: Errand, redirect: str) -> str:
    """The address that a browser is sent to."""
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect,
        "scope": provider.scopes,
        "state": errand.state,
        "nonce": errand.nonce,
        "code_challenge": create_s256_code_challenge(errand.verifier),
        "code_challenge_method": "S256",
    }
    return (
        f"{metadata.authorization_endpoint}{'&' if '?' in metadata.authorization_endpoint else '?'}{urlencode(query)}"
    )


def asks_for_tokens(metadata: Metadata, provider: Provider, errand: Errand, code: str, redirect: str) -> HttpAsk:
    """The ask that changes a code for tokens."""
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "client_id": provider.client_id,
        "code_verifier": errand.verifier,
    }
    return HttpAsk(
        "POST",
        metadata.token_endpoint,
        {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
        urlencode(body).encode(),
        secret=provider.secret or None,
        sign="basic" if provider.secret else "none",
        sign_name=provider.client_id if provider.secret else "",
        budget_ms=5_000,
    )


def read_tokens(reply: HttpReply) -> tuple[str, str]:
    """The id token and the access token. Raises :class:`Unauthenticated` ``access.outside.failed`` where the provider
    gave none."""
    if reply.status != 200:
        raise Unauthenticated("access.outside.failed", "the sign-in elsewhere did not hold; try once more")
    found = _decoded(reply, _Tokens)
    return found.id_token, found.access_token


def read_id_token(
    token: str, keys: KeySet, provider: Provider, nonce: str, now: float, access_token: str = ""
) -> Claims:
    """Who signed in, after every check that OpenID Connect Core asks for (3.1.3.7): signature, issuer, audience, time,
    nonce, and the access token's hash where it is given.

    Raises :class:`Unauthenticated` ``access.outside.failed``."""
    try:
        read = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
                "nonce": {"essential": True},
            },
            {"client_id": provider.client_id, "nonce": nonce, "access_token": access_token or None},
        )
        claims.validate(now=int(now), leeway=LEEWAY)
        _check_audience(read.claims.get("aud"), provider.client_id)
        return _claims(read.claims, provider)
    except (JoseError, ValueError, KeyError, TypeError):
        raise Unauthenticated("access.outside.failed", "the sign-in elsewhere did not hold; try once more") from None


def _check_audience(found: Any, client_id: str) -> None:
    """One of several audiences may be somebody whom we do not trust (3.1.3.7, 3)."""
    if found not in (client_id, [client_id]):
        raise ValueError("audience")


def _claims(found: dict[str, Any], provider: Provider) -> Claims:
    groups = found.get(provider.claim, ())
    amr = found.get("amr", ())
    return Claims(
        issuer=provider.issuer,
        subject=str(found["sub"])[:255],
        email=str(found.get("email", "")).strip().casefold()[:300],
        verified=found.get("email_verified") in (True, "true"),
        name=str(found.get("name", ""))[:200],
        groups=tuple(str(each) for each in ([groups] if isinstance(groups, str) else groups)),
        strong=bool(_STRONG.intersection(str(each) for each in amr)) if isinstance(amr, list) else False,
    )


def _decoded(reply: HttpReply, kind: Any) -> Any:
    try:
        if reply.status == 200:
            return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    raise Permanent("access.provider.broken", "it does not answer as OpenID Connect says")
