#!/usr/bin/env python3
"""Checks a certificate of consent without Leadmill and without a network: ``python verify_certificate.py FILE``.

The file is one page of HTML. In it stand its parts, each once: ``core`` (what was shown and done), ``more`` (what was
added when the file was made), ``snapshot`` (the page without its answers) and ``replay`` (the recording), the last two
where there are any. At its end a ``seal`` names the SHA-256 of each part, and of the page with its parts taken out, and
is signed with Ed25519. Ask the file's maker for their public key, and give it with ``--key``.

Needs the package ``cryptography`` and nothing else. Ends with 0 where all holds, with 1 where something does not, and
says where.
"""

import argparse
import base64
import hashlib
import html
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "leadmill.consent/1"
PART = re.compile(
    r'(<script type="application/json" id="(core|more|replay|seal)">)([^<]*)(</script>)'
    r'|(<iframe id="snapshot" sandbox="" title="[^"<]*" srcdoc=")([^"<]*)(")'
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def plain(value: str, kind: str) -> str:
    """An address in lower case; a number's digits without the country's 1."""
    if kind == "email":
        return value.strip().lower()
    digits = "".join(filter(str.isdigit, value))
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


def check(text: str, key: str, contacts: dict[str, str]) -> list[str]:
    """Everything that does not hold."""
    parts: dict[str, str] = {}
    twice: list[str] = []

    def take(found: re.Match[str]) -> str:
        name = found[2] or "snapshot"
        twice.extend([name] if name in parts else [])
        parts[name] = found[3] if found[2] else found[6]
        return found[1] + found[4] if found[2] else found[5] + found[7]

    around = PART.sub(take, text)
    if twice or not {"core", "more", "seal"} <= parts.keys():
        return ["this is no certificate of consent, or a part of it is gone or stands there twice"]
    try:
        seal = json.loads(parts.pop("seal"))
        public, manifest = base64.b64decode(seal["key"]), seal["manifest"]
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(seal["signature"]), manifest.encode())
        signed = json.loads(manifest)
    except (ValueError, KeyError, TypeError, InvalidSignature):
        return ["seal: its signature is not that of its list of parts"]
    faults = []
    if key and public.hex() != key.lower():
        faults.append(f"seal: it is signed by {public.hex()}, which is another key")
    if signed["format"] != FORMAT:
        faults.append(f"seal: it is a certificate of another kind, {signed['format']}")
    here = {name: digest(data) for name, data in parts.items()} | {"page": digest(around)}
    for name in sorted(here.keys() | signed["parts"].keys()):
        if here.get(name) != signed["parts"].get(name):
            faults.append(f"{name}: it was changed, taken out or put in")
    if faults:
        return faults
    core, more = json.loads(parts["core"]), json.loads(parts["more"])
    said = core["disclosure"]
    if said["text"] and digest(said["text"]) != said["text_sha256"]:
        faults.append("core: the text's digest is not the text's")
    if digest(html.unescape(parts.get("snapshot", ""))) != (core["snapshot_sha256"] or digest("")):
        faults.append("snapshot: it is not the one that the core names")
    if here.get("replay", "") != more["recording"]["sha256"]:
        faults.append("replay: it is not the one that the journal names")
    if more["journal"]["digest"] not in ("", here["core"]):
        faults.append("more: the journal tells of another core")
    for kind, value in contacts.items():
        held = more["contacts"].get(kind, {"salt": "", "scrypt": ""})
        salt = bytes.fromhex(held["salt"])
        made = hashlib.scrypt(plain(value, kind).encode(), salt=salt, n=32768, r=8, p=1, maxmem=1 << 26, dklen=32)
        if made.hex() != held["scrypt"]:
            faults.append(f"more: it is not about this {kind}")
    if not faults:
        print(f"lead {core['lead_id']}, {core['sight']}, answered {core['received_at']}")
        print(f"signed by {public.hex()}" + ("" if key else " (ask its maker whether that is their key)"))
    return faults


def main() -> int:
    asked = argparse.ArgumentParser(description="Checks a certificate of consent.")
    asked.add_argument("file", type=Path)
    asked.add_argument("--key", default="", help="the public key that must have signed it, hex")
    asked.add_argument("--email", default="", help="an address that it must be about")
    asked.add_argument("--phone", default="", help="a number that it must be about")
    given = asked.parse_args()
    contacts = {kind: value for kind, value in (("email", given.email), ("phone", given.phone)) if value}
    faults = check(given.file.read_bytes().decode("utf-8", "replace"), given.key, contacts)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
