"""Check an export of Leadmill's proof (`leadmill verify --export FILE`) without Leadmill.

    python verify_offline.py FILE [--key HEX] [--before OLDER_FILE]

Needs Python 3.10 and `cryptography`, nothing else, and no network. It recomputes every hash in the file and checks each
signature against the house's public key: name the key you were given with --key, or the one in the file is believed.
With --before it also shows that whatever an older export held still stands, unchanged. Each finding is a line with its
place. Exit status: 0 nothing found, 1 something found, 3 not an export. The file is JSON lines: a header, then
  ["page", subject, seq, micros, group, sha256(events), sha256(sealed) or null, hash]
  ["group", id, micros, pages, root, link number or null, link hash or null]
  ["seal", seq, micros, cover, low, high, marks, hash]      sixteen bytes a row, in the order of the keys
  ["row", cover, seal number or 0, key, mark]               the rows as they stand
  ["checkpoint", body, signature]                           body is the JSON text that is signed
  ["end", sha256 of all lines before, signature over "leadmill export " + that]
"""

import argparse
import gzip
import json
import sys
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ZERO = bytes(32)


def number(value, size=8):
    return value.to_bytes(size, "big")


def text(value):
    return number(len(value.encode()), 4) + value.encode()


def signed(key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), message.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def merkle(leaves):
    """The root over a group's pages (RFC 9162, 2.1.1), leaves in order of their bytes."""
    level = [sha256(b"\0" + leaf).digest() for leaf in sorted(leaves)]
    while len(level) > 1:
        pairs = [sha256(b"\1" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0] if level else sha256(b"").digest()


class Export:
    """An export as read; `found` holds what is wrong with it by itself."""

    def __init__(self, path, trusted):
        self.found = []
        self.pages, self.links, self.seals, self.rows, self.checkpoints = {}, {}, {}, {}, []
        self._groups, self._leaves, self._ranges, self._end, self._digest = {}, {}, {}, None, sha256()
        with (gzip.open if str(path).endswith(".gz") else open)(path, "rb") as file:
            line = file.readline()
            header = json.loads(line)
            if header.get("leadmill_export") != 1:
                raise ValueError("not an export that this script knows")
            self.keys = {trusted} if trusted else set(header["keys"])
            while line and self._end is None:
                self._digest.update(line)
                line = file.readline()
                kind, *values = json.loads(line) if line else ("end", None, None)
                if kind == "end":
                    self._end = values
                else:
                    getattr(self, "_" + kind)(*values)
            if file.readline():
                self.say("file", "lines follow its end")
        self._check_groups()
        self._check_rows()
        self._check_signatures()

    def say(self, where, what):
        self.found.append(f"{where}: {what}")

    def _chained(self, where, before, made, *parts):
        if before is None:
            self.say(where, "the one before it is missing")
        elif sha256(before + b"".join(parts)).hexdigest() != made:
            self.say(where, "altered: it does not hash to what was written")
        return bytes.fromhex(made)

    def _page(self, subject, seq, at, group, events, sealed, made):
        before = self.pages.get((subject, seq - 1), ZERO if seq == 1 else None)
        bodies = bytes.fromhex(events) + (b"\0" if sealed is None else b"\1" + bytes.fromhex(sealed))
        done = self._chained(f"{subject} page {seq}", before, made, text(subject), number(seq), number(at), bodies)
        self.pages[subject, seq] = done
        self._leaves.setdefault(group, []).append(done)

    def _group(self, ident, at, pages, root, seq, link):
        self._groups[ident] = (pages, root)
        if seq is not None:
            before = self.links.get(seq - 1, ZERO if seq == 1 else None)
            parts = (number(seq), number(at), bytes.fromhex(root), ident.encode())
            self.links[seq] = self._chained(f"link {seq} ({ident})", before, link, *parts)

    def _seal(self, seq, at, cover, low, high, marks, made):
        before = self.seals.get(seq - 1, ZERO if seq == 1 else None)
        parts = (number(seq), number(at), text(cover), text(low), text(high), sha256(bytes.fromhex(marks)).digest())
        self.seals[seq] = self._chained(f"seal {seq}", before, made, *parts)
        self._ranges[seq] = (cover, {marks[at : at + 32] for at in range(0, len(marks), 32)}, {})

    def _row(self, cover, seal, key, mark):
        self.rows[cover, key] = mark
        if seal:
            self._ranges[seal][2][key] = mark

    def _checkpoint(self, body, signature):
        self.checkpoints.append((json.loads(body), body, signature))

    def _check_groups(self):
        for ident, (pages, root) in self._groups.items():
            leaves = self._leaves.pop(ident, [])
            if len(leaves) != pages:
                self.say(f"group {ident}", f"{len(leaves)} pages of {pages} are there")
            elif merkle(leaves).hex() != root:
                self.say(f"group {ident}", "altered: its root is not that of its pages")
        for ident in self._leaves:
            self.say(f"group {ident}", "missing: its pages are there")

    def _check_rows(self):
        for seq, (cover, marks, rows) in self._ranges.items():
            strange = [key for key, mark in rows.items() if mark not in marks]
            for key in strange:
                self.say(f"{cover} {key}", f"altered, or put in, after seal {seq}")
            gone = len(marks - set(rows.values())) - len(strange)
            if gone > 0:
                self.say(f"{cover}, seal {seq}", f"{gone} rows were taken out")

    def _check_signatures(self):
        before = ZERO.hex()
        for count, (said, body, signature) in enumerate(self.checkpoints, 1):
            where = f"checkpoint {said['checkpoint']} of {said['at']}"
            if said["key"] not in self.keys or not signed(said["key"], signature, body):
                self.say(where, "not signed by the house's key")
            if (said["checkpoint"], said["before"]) != (count, before):
                self.say(where, "the checkpoint before it is missing or another")
            before = sha256(body.encode() + bytes.fromhex(signature)).hexdigest()
            for what, end, chain in (("link", said["journal"], self.links), ("seal", said["seals"], self.seals)):
                if end["seq"] and chain.get(end["seq"]) != bytes.fromhex(end["hash"]):
                    how = "another" if end["seq"] in chain else "cut off"
                    self.say(where, f"it signed {what} {end['seq']}, which is {how}")
        digest, (told, signature) = self._digest.hexdigest(), self._end
        if told is None:
            self.say("file", "cut off: its end is missing")
        elif told != digest or not any(signed(key, signature, f"leadmill export {told}") for key in self.keys):
            self.say("file", "changed after it was written: the signature at its end does not fit")


def compare(old, new):
    """What an older export held and a newer one does not."""
    for (subject, seq), made in old.pages.items():
        if new.pages.get((subject, seq)) != made:
            yield f"{subject} page {seq}: {'altered' if (subject, seq) in new.pages else 'taken out'} since"
    for seq, made in old.links.items():
        if new.links.get(seq) != made:
            yield f"link {seq}: {'altered' if seq in new.links else 'cut off'} since"
    for (cover, key), mark in old.rows.items():
        if (cover, key) not in new.rows:
            yield f"{cover} {key}: taken out since"
        elif new.rows.get((cover, key), mark) != mark:
            yield f"{cover} {key}: altered since"
    bodies = {body for _, body, _ in new.checkpoints}
    yield from (
        f"checkpoint {said['checkpoint']}: gone since" for said, body, _ in old.checkpoints if body not in bodies
    )


def main():
    parser = argparse.ArgumentParser(description="Check an export of Leadmill's proof.")
    parser.add_argument("file")
    parser.add_argument("--key", help="the house's public key as hex, as it was given to you")
    parser.add_argument("--before", metavar="FILE", help="an older export of the same house")
    args = parser.parse_args()
    try:
        new = Export(args.file, args.key)
        old = Export(args.before, args.key) if args.before else None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as fault:
        print(f"not readable as an export: {fault}", file=sys.stderr)
        return 3
    found = list(new.found)
    if old is not None:
        found += [f"older file, {one}" for one in old.found] + list(compare(old, new))
    print(*found, sep="\n", end="\n" if found else "")
    counts = f"{len(new.pages)} pages, {len(new.links)} links, {len(new.rows)} rows, {len(new.checkpoints)} checkpoints"
    print(f"{counts}; key {' '.join(sorted(new.keys))}; {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
