"""A caller without manners: it sends the bytes it is told to, whatever HTTP says, and reads what comes back.

``Caller`` speaks over a plain socket, one connection a request, so that wrong lengths, broken headers and half bodies
can be sent. ``Browser`` adds cookies. ``problem`` holds an answer against what the API promises of every refusal.
"""

import json
import re
import socket
import time
from collections.abc import Iterable, Mapping
from http.client import HTTPResponse
from typing import Any

from tests.answers import FORM, Cookies, Reply, form

Body = bytes | str | Mapping[str, Any] | list[Any] | None

_CODE = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+){2}")
_INNARDS = ("Traceback", 'File "', "asyncpg", "litestar", "msgspec.", "/site-packages/", "SELECT ", "INSERT ")


class Caller:
    """Calls one server. ``headers`` go with every request; a header whose value is None is left out."""

    def __init__(self, host: str, port: int, headers: Mapping[str, str | bytes | None] | None = None) -> None:
        self.host = host
        self.port = port
        self.headers = dict(headers or {})

    def get(self, path: str, **headers: str | bytes | None) -> Reply:
        return self.send("GET", path, b"", headers)

    def post(self, path: str, body: Body, **headers: str | bytes | None) -> Reply:
        """JSON, unless a content type says otherwise; bytes go as they are."""
        return self.send("POST", path, body, {"content-type": "application/json", **headers})

    def send(
        self, verb: str, path: str, body: Body = b"", headers: Mapping[str, str | bytes | None] | None = None
    ) -> Reply:
        """One request with its true length."""
        data = encoded(body)
        return self.raw(self.head(verb, path, {**(headers or {}), "content-length": str(len(data))}) + data)

    def head(self, verb: str, path: str, headers: Mapping[str, str | bytes | None] | None = None) -> bytes:
        """A request's first lines; underscores in a header's name stand for dashes."""
        sent: dict[str, str | bytes | None] = {"host": f"{self.host}:{self.port}", "connection": "close"}
        sent |= {name.replace("_", "-").lower(): value for name, value in {**self.headers, **(headers or {})}.items()}
        lines = [
            name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
            for name, value in sent.items()
            if value is not None
        ]
        return f"{verb} {path} HTTP/1.1\r\n".encode() + b"\r\n".join(lines) + b"\r\n\r\n"

    def raw(self, *pieces: bytes, pause: float = 0.0, verb: str = "GET", wait: float = 30.0) -> Reply:
        """Send these bytes, ``pause`` seconds apart, and read one answer."""
        found = self.perhaps(*pieces, pause=pause, verb=verb, wait=wait)
        assert found is not None, "the server closed the connection without a word"
        return found

    def perhaps(self, *pieces: bytes, pause: float = 0.0, verb: str = "GET", wait: float = 30.0) -> Reply | None:
        """As :meth:`raw`; None where the server closed the connection without an answer."""
        if pieces and pieces[0][:5] == b"HEAD ":
            verb = "HEAD"
        with socket.create_connection((self.host, self.port), timeout=wait) as line:
            for number, piece in enumerate(pieces):
                if number and pause:
                    time.sleep(pause)
                try:
                    line.sendall(piece)
                except (BrokenPipeError, ConnectionResetError):
                    break  # it answered before it had heard everything
            return read_reply(line, verb)


def read_reply(line: socket.socket, verb: str = "GET") -> Reply | None:
    """The answer on a socket. A reset after a refusal still leaves what was sent before it."""
    response = HTTPResponse(line, method=verb)
    try:
        response.begin()
        body = response.read()
    except (ConnectionError, OSError, ValueError, EOFError) as fault:
        if isinstance(fault, TimeoutError):
            raise
        return None
    except Exception as fault:
        if type(fault).__name__ in ("BadStatusLine", "RemoteDisconnected"):
            return None
        raise
    reply = Reply(response.status, response.getheaders(), body)
    assert reply.status != 500, f"the server broke: {reply.text[:500]}"
    assert not any(word in body.decode("utf-8", "replace") for word in _INNARDS), (
        "an answer shows the program's innards"
    )
    return reply


def encoded(body: Body) -> bytes:
    """A body as bytes."""
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else json.dumps(body).encode()


def chunked(body: bytes, size: int = 65_536) -> bytes:
    """A body in the chunked coding."""
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


class Browser(Caller):
    """Keeps cookies; follows nothing."""

    def __init__(self, host: str, port: int, headers: Mapping[str, str | bytes | None] | None = None) -> None:
        super().__init__(host, port, headers)
        self.cookies = Cookies()

    def head(self, verb: str, path: str, headers: Mapping[str, str | bytes | None] | None = None) -> bytes:
        return super().head(verb, path, {**self.cookies.header(), **(headers or {})})

    def perhaps(self, *pieces: bytes, pause: float = 0.0, verb: str = "GET", wait: float = 30.0) -> Reply | None:
        reply = super().perhaps(*pieces, pause=pause, verb=verb, wait=wait)
        self.cookies.take(reply.all_headers if reply else ())
        return reply

    def submit(self, path: str, fields: Any = None, **headers: str | bytes | None) -> Reply:
        """A form, as a browser posts it; bytes go as they are."""
        return self.post(path, form(fields), **{**FORM, **headers})

    def upload(self, path: str, fields: Mapping[str, str], name: str, data: bytes) -> Reply:
        """A form with a file."""
        sign = "----the-end-of-a-part"
        parts = [
            f'--{sign}\r\ncontent-disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        ]
        head = f'--{sign}\r\ncontent-disposition: form-data; name="file"; filename="{name}"\r\n'
        body = "".join(parts).encode() + head.encode() + b"content-type: application/octet-stream\r\n\r\n" + data
        kind = f"multipart/form-data; boundary={sign}"
        return self.send("POST", path, body + f"\r\n--{sign}--\r\n".encode(), {"content-type": kind})

    def secret(self, path: str = "/leads") -> str:
        """The secret that forms of this session bring back."""
        found = re.search(r'name="_csrf" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found[1]


def problem(reply: Reply, status: int, code: str | None = None, pointers: Iterable[str] | None = None) -> Any:
    """The problem document of a refusal: well formed, of this status, code and set of pointers."""
    assert reply.headers.get("content-type") == "application/problem+json", (reply.status, reply.text[:300])
    found = reply.json
    assert (reply.status, found["status"]) == (status, status), found
    assert _CODE.fullmatch(found["code"]), found
    assert code is None or found["code"] == code, found
    assert found["type"] == f"/problems/{found['code']}"
    assert found["title"] and found["detail"], found
    assert found["request_id"] == reply.headers["x-request-id"]
    errors = found.get("errors", [])
    for each in errors:
        assert set(each) == {"pointer", "code", "detail"} and each["detail"] and _CODE.fullmatch(each["code"]), each
    if pointers is not None:
        assert {each["pointer"] for each in errors} == set(pointers), errors
    return found
