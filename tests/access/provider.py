"""An honest house that signs people in by OpenID Connect, as a process of its own, and lies on demand.

``python provider.py`` writes its port and answers discovery, keys, authorisation (it lets everybody in at once),
tokens, and ``/lie?about=…``, which says what its next token will be wrong in. It checks what an honest house checks:
the client's secret, the redirect address, the code, once, and the verifier of PKCE.
"""

import hashlib
import json
import secrets
import sys
import time
from base64 import b64decode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "leadmill", "a secret of the tests"
GROUPS = ["sales"]


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class House(BaseHTTPRequestHandler):
    key = RSAKey.generate_key(2048, {"kid": "one"})
    lie = ""
    codes: dict[str, dict[str, str]] = {}

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        base = self.base()
        if url.path == "/.well-known/openid-configuration":
            self.answer(
                {
                    "issuer": base if self.lie != "issuer" else "http://127.0.0.1:1",
                    "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token",
                    "jwks_uri": f"{base}/keys",
                }
            )
        elif url.path == "/keys":
            self.answer({"keys": [self.key.as_dict(private=False)]})
        elif url.path == "/lie":
            House.lie = query.get("about", "")
            if self.lie == "new key":
                House.key = RSAKey.generate_key(2048, {"kid": "two"})
            self.answer({})
        elif url.path == "/authorize":
            assert query["response_type"] == "code" and query["client_id"] == CLIENT
            assert query["code_challenge_method"] == "S256" and "openid" in query["scope"].split()
            code = secrets.token_urlsafe(16)
            self.codes[code] = query
            self.send_response(302)
            self.send_header(
                "location", f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
            )
            self.end_headers()
        else:
            self.send_error(404)

    def base(self) -> str:
        """Where this house is."""
        return f"http://127.0.0.1:{self.connection.getsockname()[1]}"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        given = self.headers.get("authorization", "").removeprefix("Basic ")
        if (
            asked is None
            or b64decode(given).decode() != f"{CLIENT}:{SECRET}"
            or form["redirect_uri"] != asked["redirect_uri"]
            or b64(hashlib.sha256(form["code_verifier"].encode()).digest()) != asked["code_challenge"]
        ):
            self.answer({"error": "invalid_grant"}, 400)
            return
        self.answer({"id_token": self.token(asked), "access_token": "at", "token_type": "Bearer"})

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.base(),
            "sub": "subject-7",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "at_hash": b64(hashlib.sha256(b"at").digest()[:16]),
            "email": "lena@example.com",
            "email_verified": True,
            "name": "Lena Fischer",
            "groups": GROUPS,
        }
        lies: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "another"},
            "expired": {"iat": now - 900, "exp": now - 600},
            "audience": {"aud": "somebody-else"},
            "audiences": {"aud": [CLIENT, "somebody-else"], "azp": CLIENT},
            "token issuer": {"iss": "http://127.0.0.1:1"},
            "at_hash": {"at_hash": "AAAA"},
            "unverified": {"email_verified": False},
            "domain": {"email": "lena@evil.example"},
            "groups": {"groups": []},
            "mfa": {"amr": ["pwd", "mfa"]},
        }
        claims |= lies.get(self.lie, {})
        if self.lie == "no nonce":
            del claims["nonce"]
        if self.lie == "none":
            return f"{b64(json.dumps({'alg': 'none'}).encode())}.{b64(json.dumps(claims).encode())}."
        if self.lie == "hmac":
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
        if self.lie == "foreign key":
            return jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048))
        return jwt.encode({"alg": "RS256", "kid": self.key.kid or ""}, claims, self.key)

    def answer(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Silence."""


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), House)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
