"""What the tests of capture share: the built-in verticals and a submission."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from leadmill.capture import Lexicon, Submission, read_verticals
from leadmill.runtime.packs import load_packs

VERTICALS = read_verticals(load_packs())
LEXICON = Lexicon(VERTICALS)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

GOOD = {
    "vertical": "solar",
    "fields": {"first_name": "Ana", "last_name": "Lopez", "email": "ana@example.com", "phone": "+14155550123"},
}


def submission(body: Any, channel: Any = "json", **more: Any) -> Submission:
    """A submission of a body: bytes as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    more.setdefault("content_type", "application/json" if not isinstance(body, bytes) else "")
    return Submission(
        id="sub_1",
        source_id="acme",
        channel=channel,
        received_at=NOW,
        body=raw,
        digest=hashlib.sha256(raw).hexdigest(),
        **more,
    )
