"""What a mail server sends back where a message could not be delivered, as RFC 3464 has it."""


def delivery_report(message_id: str, status: str, recipient: str = "somebody@example.com") -> bytes:
    """The report about one message of ours to one recipient."""
    return f"""From: MAILER-DAEMON@mx.example.net
To: <bounces@leadmill.example>
Date: Wed, 4 Mar 2026 15:00:30 +0000
Subject: Undelivered mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The message could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} no such mailbox

--b
Content-Type: text/rfc822-headers

Message-ID: <{message_id}@leadmill.example>
Subject: Your enquiry

--b--
""".encode()
