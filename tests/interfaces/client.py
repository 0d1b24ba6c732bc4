"""A small client that speaks ASGI to the application in the same loop, with cookies like a browser."""

import json
from typing import Any

from tests.answers import FORM, Cookies, Reply, form


class Client:
    """Keeps cookies; follows nothing. ``address`` is where it calls from."""

    def __init__(self, app: Any, address: str = "192.0.2.10") -> None:
        self.app = app
        self.address = address
        self.cookies = Cookies()

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.send("GET", path, b"", headers)

    async def post(self, path: str, fields: Any = None, **headers: str) -> Reply:
        """A form, as a browser posts it."""
        return await self.send("POST", path, form(fields), {**FORM, **headers})

    async def post_json(self, path: str, value: Any, **headers: str) -> Reply:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return await self.send("POST", path, body, {"content-type": "application/json", **headers})

    async def send(self, verb: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        plain, _, query = path.partition("?")
        sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        sent.setdefault("host", "leadmill.test")
        sent["content-length"] = str(len(body))
        sent |= self.cookies.header()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": verb,
            "scheme": "http",
            "path": plain,
            "raw_path": plain.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
            "client": (self.address, 50000),
            "server": ("leadmill.test", 80),
            "state": {},
        }
        parts = [{"type": "http.request", "body": body, "more_body": False}]
        got: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            got.append(message)

        await self.app(scope, receive, send)
        start = got[0]
        found = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        self.cookies.take(found)
        return Reply(start["status"], found, b"".join(each.get("body", b"") for each in got[1:]))
