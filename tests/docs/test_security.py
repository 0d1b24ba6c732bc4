"""The threat model is true: every test it names exists, and what it tells buyers to do works."""

import ast
import importlib.util
import re
from functools import cache
from typing import Any

from leadmill.runtime.signing import sign_webhook
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/security.md"
NOW = 1_780_000_000
OLD, NEW = "whsec_b2xkIHNlY3JldCBvZiBhIGJ1eWVyIQ==", "whsec_bmV3IHNlY3JldCBvZiBhIGJ1eWVyIQ=="


@cache
def written_in(file: str) -> set[str]:
    """The tests of a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_threat_names_tests_and_every_test_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    tables = re.findall(r"^\| threat \|[^\n]*\n\| ---[^\n]*\n((?:\|[^\n]*\n)+)", text, re.MULTILINE)
    threats = [row for table in tables for row in table.splitlines()]
    assert len(threats) > 30
    bare = [row for row in threats if "::test_" not in row]
    assert not bare, bare
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    gone = [f"{file}::{name}" for file, name in named if name not in written_in(file)]
    assert not gone, gone


def receiver() -> Any:
    """The page's receiver as a module."""
    spec = importlib.util.spec_from_file_location("receive_webhook", ROOT / "docs/receive_webhook.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_replayed_webhook_is_refused_by_name() -> None:
    buyer = receiver()
    seen, body = buyer.Seen(), b'{"lead": 1}'
    headers = sign_webhook(OLD, "dlv_1", NOW, body)

    def refuse(headers: dict[str, str], body: bytes, now: int = NOW) -> str | None:
        why: str | None = buyer.refuse([OLD], headers, body, seen, now)
        return why

    assert refuse(headers, body) is None
    assert refuse(headers, body) == "replayed"
    assert refuse(headers, body, NOW + 301) == "too old"
    assert refuse({**headers, "webhook-timestamp": str(NOW + 400)}, body, NOW + 400) == "forged"
    assert refuse({**headers, "webhook-id": "dlv_2"}, body) == "forged"
    assert refuse(headers, body + b" ") == "forged"
    assert refuse({}, body) == "unsigned"


def test_a_secret_is_changed_without_losing_a_message() -> None:
    buyer = receiver()
    both = sign_webhook(f"{OLD} {NEW}", "dlv_1", NOW, b"x")
    for secrets in ([OLD], [NEW], [OLD, NEW]):
        assert buyer.refuse(secrets, both, b"x", buyer.Seen(), NOW) is None
    assert buyer.refuse([NEW], sign_webhook(OLD, "dlv_1", NOW, b"x"), b"x", buyer.Seen(), NOW) == "forged"
