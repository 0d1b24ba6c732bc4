"""What the tests' clients share, whether they speak ASGI or write bytes to a socket: answers, cookies, forms."""

import json
from collections.abc import Iterable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

FORM = {"content-type": "application/x-www-form-urlencoded"}


class Reply:
    """What came back."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.all_headers = headers
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Cookies(dict[str, str]):
    """The cookies that a browser keeps."""

    def take(self, headers: Iterable[tuple[str, str]]) -> None:
        """Keep what an answer sets."""
        for name, value in headers:
            if name.lower() == "set-cookie":
                for morsel in SimpleCookie(value).values():
                    self[morsel.key] = morsel.value

    def header(self) -> dict[str, str]:
        """The header that brings them back; none where there are none."""
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.items())} if self else {}


def form(fields: Any) -> bytes:
    """Fields as a browser posts them; bytes as they are."""
    return fields if isinstance(fields, bytes) else urlencode(fields or {}, doseq=True).encode()
