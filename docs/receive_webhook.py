"""How a recipient checks a message of Leadmill's: Standard Webhooks 1.0, standard library only. Copy it.

seen = Seen()
why = refuse(SECRETS, request.headers, request.body, seen, time.time())
if why: answer 400 with it        # "replayed" deserves a 200: you have the lead
"""

import base64
import hashlib
import hmac

TOLERANCE = 300  # seconds that clocks may differ and a message may travel


class Seen:
    """The ids of messages that were taken. Keep them in your database, under a unique key, for a day at least: a
    message that got no answer comes again under the same id."""

    def __init__(self):
        self._ids = set()

    def take(self, message_id):
        """Whether this id is new; from now on it is not."""
        fresh = message_id not in self._ids
        self._ids.add(message_id)
        return fresh


def refuse(secrets, headers, body, seen, now):
    """Why the message is not to be taken: ``unsigned``, ``too old``, ``forged`` or ``replayed``; None if it is good.

    ``secrets`` are all that are valid: two while a secret is changed. ``headers`` have names in small letters.
    """
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = [part[3:] for part in headers.get("webhook-signature", "").split() if part.startswith("v1,")]
    if not (message_id and given and stamp.isdecimal()):
        return "unsigned"
    if abs(int(stamp) - now) > TOLERANCE:
        return "too old"
    signed = f"{message_id}.{stamp}.".encode() + body
    for secret in secrets:
        key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
        good = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if any(hmac.compare_digest(good.encode(), one.encode()) for one in given):
            return None if seen.take(message_id) else "replayed"
    return "forged"
