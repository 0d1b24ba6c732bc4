"""Tokens and the hashes of passwords: what the verbs on keys, operators and sessions share."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Callable

import argon2

Random = Callable[[int], bytes]
"""Gives that many unguessable bytes: ``secrets.token_bytes``."""

# The second recommendation of the OWASP password storage cheat sheet: 19 MiB, two passes, one lane.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
NOBODY = _hasher.hash("the password of nobody")
"""What a password is held against where there is no account, so that this takes as long."""
NO_PASSWORD = "!"  # noqa: S105  no hash reads so
"""Stands where an operator has no password, because another house signs the operator in."""


def token(random: Random) -> str:
    """A secret for a cookie or a key: 256 bits."""
    return urlsafe_b64encode(random(32)).rstrip(b"=").decode()


def outdated(hashed: str) -> bool:
    """Whether a password's hash was made with less work than we ask for now."""
    return _hasher.check_needs_rehash(hashed)


async def hash_password(password: str) -> str:
    """A password's hash, made beside the loop."""
    return await asyncio.to_thread(_hasher.hash, password.encode(errors="surrogatepass"))


async def verify_password(hashed: str, password: str) -> bool:
    """Whether this is the password."""
    if len(password) > 1000:
        return False
    try:
        return await asyncio.to_thread(_hasher.verify, hashed, password.encode(errors="surrogatepass"))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
