"""Reports of mail servers and services, read as far as they are well formed."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.hygiene import Notice, Unread, read_event, read_file, read_message

OURS = "msg_01k8000000abcdefghijklmnop"
SAID = datetime(2026, 11, 3, 10, tzinfo=UTC)


def report(*recipients: str, kind: str = "delivery-status", head: str = "Reporting-MTA: dns; mx.example.net") -> bytes:
    """A report with these blocks, which brings back the headers of a message of ours."""
    blocks = "\n\n".join([head, *recipients]) if kind == "delivery-status" else "\n".join(recipients)
    return f"""From: MAILER-DAEMON@mx.example.net
To: <bounces@leadmill.example>
Date: Tue, 3 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/{kind}

{blocks}

--b
Content-Type: text/rfc822-headers

Message-ID: <{OURS}@leadmill.example>
Subject: Your enquiry

--b--
""".encode()


FAILED = "Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 gone"
DELAYED = (
    "Original-Recipient: rfc822;bob@example.com\nFinal-Recipient: rfc822; b@x.example\nAction: delayed\nStatus: 4.4.1"
)
RELAYED = "Final-Recipient: rfc822; cid@example.com\nAction: relayed\nStatus: 2.0.0"


def test_a_delivery_report_tells_each_recipients_fate_and_whose_message_it_was() -> None:
    found = read_message(report(FAILED, DELAYED, RELAYED))
    assert found == [
        Notice(word="bounced", contact="ann@example.com", message_id=OURS, at=SAID, status="5.1.1"),
        Notice(word="deferred", contact="bob@example.com", message_id=OURS, at=SAID, status="4.4.1"),
    ]


def test_a_complaint_is_told_by_the_mailbox_provider() -> None:
    raw = report(
        "Feedback-Type: abuse\nUser-Agent: Provider/1\nOriginal-Rcpt-To: <ann@example.com>", kind="feedback-report"
    )
    assert read_message(raw) == [Notice(word="complained", contact="ann@example.com", message_id=OURS, at=SAID)]


def test_a_mailbox_is_read_message_by_message() -> None:
    mailbox = b"From a Tue\n" + report(FAILED) + b"\n\nFrom b Wed\nSubject: Hello\n\nHow are you?\n"
    found = list(read_file(mailbox))
    assert [type(one) for one in found] == [Notice, Unread]
    assert isinstance(found[1], Unread) and found[1].place == 2


@pytest.mark.parametrize(
    ("event", "wants"),
    [
        (
            {"event": "bounced", "email": "a@b.example", "at": "2026-11-03T10:00:00Z", "id": "e1"},
            Notice(word="bounced", contact="a@b.example", at=SAID, ref="e1"),
        ),
        (
            {"event": "bounce", "type": "bounce", "email": "a@b.example", "timestamp": 1793700000, "sg_event_id": "q"},
            Notice(word="bounce", contact="a@b.example", at=SAID.replace(hour=10), ref="q"),
        ),
        (
            {"event": "bounce", "bounce_type": "soft", "recipient": "a@b.example", "status": "4.2.2"},
            Notice(word="soft", contact="a@b.example", status="4.2.2"),
        ),
        (
            {"event": "delivered", "message_id": f"<{OURS}@leadmill.example>"},
            Notice(word="delivered", message_id=OURS),
        ),
        ({"event": "bounce", "type": "blocked", "email": "a@b.example"}, Notice(word="blocked", contact="a@b.example")),
        (
            {"RecordType": "Bounce", "Type": "HardBounce", "ID": 42, "Email": "a@b.example", "MessageID": "883953f4"},
            Notice(word="HardBounce", contact="a@b.example", ref="42"),
        ),
        ({"event": "disconnected", "lead_id": "lead_1"}, Notice(word="disconnected", lead_id="lead_1")),
        ({"event": "delivered"}, None),
        ({"email": "a@b.example"}, None),
        ({"event": 5, "email": "a@b.example"}, None),
    ],
)
def test_an_event_is_read_under_the_usual_names(event: dict[str, object], wants: Notice | None) -> None:
    found = read_event(event)
    if found is not None and "timestamp" in event:
        wants = wants and Notice(word=wants.word, contact=wants.contact, at=found.at, ref=wants.ref)
        assert found.at == datetime.fromtimestamp(1793700000, UTC)
    assert found == wants


def test_lines_of_json_are_read_one_by_one_and_what_is_none_is_told() -> None:
    lines = [json.dumps({"event": "bounced", "email": f"{n}@b.example"}) for n in range(3)]
    lines.insert(1, "no JSON")
    found = list(read_file("\n".join(lines).encode()))
    assert [isinstance(one, Notice) for one in found] == [True, False, True, True]
    assert isinstance(found[1], Unread) and found[1].place == 2


@given(st.binary(max_size=300))
def test_nothing_that_a_file_holds_breaks_the_reader(raw: bytes) -> None:
    for body in (raw, b"From x\n" + raw, b"{" + raw, report(FAILED)[: len(raw) * 3] + raw):
        for one in read_file(body):
            assert isinstance(one, Notice | Unread)
