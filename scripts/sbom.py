"""Writes the bill of materials: every part that Leadmill runs on, pinned and hashed, in CycloneDX 1.6.

``make sbom`` runs it. Read from the locked requirement files and ``web/package-lock.json`` alone: the same locks give
the same file, and no network is needed. What only tests and builders use is marked ``excluded``.
"""

import argparse
import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\]+))?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VERSION = re.compile(r'__version__: Final = "([^"]+)"')
_ALGORITHMS = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


def python_parts(lock: Path, scope: str) -> list[dict[str, Any]]:
    """The packages of a locked requirement file."""
    found: list[dict[str, Any]] = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        if pinned := _PIN.match(line):
            name, version, where = pinned[1].lower().replace("_", "-"), pinned[2], (pinned[3] or "").strip()
            purl = f"pkg:pypi/{name}@{version}"
            part = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "scope": scope}
            part["hashes"] = []
            if where:
                part["properties"] = [{"name": "leadmill:where", "value": where}]
            found.append(part)
        if (digest := _HASH.search(line)) and found:
            found[-1]["hashes"].append({"alg": "SHA-256", "content": digest[1]})
    return found


def web_parts(lock: Path) -> list[dict[str, Any]]:
    """The packages of the web assets; what only builds them is excluded."""
    found = []
    for place, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        name = place.rpartition("node_modules/")[2]
        if not name:
            continue
        purl = f"pkg:npm/{name.replace('@', '%40', 1)}@{entry['version']}"
        scope = "excluded" if entry.get("dev") else "optional" if entry.get("optional") else "required"
        part = {"type": "library", "bom-ref": f"{purl}#{place}", "name": name, "version": entry["version"]}
        part |= {"purl": purl, "scope": scope, "hashes": _integrity(entry.get("integrity", ""))}
        if license_id := entry.get("license"):
            part["licenses"] = [{"license": {"name": license_id}}]
        found.append(part)
    return found


def _integrity(text: str) -> list[dict[str, str]]:
    hashes = []
    for one in text.split():
        algorithm, _, value = one.partition("-")
        if algorithm in _ALGORITHMS:
            hashes.append({"alg": _ALGORITHMS[algorithm], "content": base64.b64decode(value).hex()})
    return hashes


def bill(root: Path = ROOT) -> dict[str, Any]:
    """The whole bill."""
    said = _VERSION.search((root / "src/leadmill/__init__.py").read_text(encoding="utf-8"))
    version = said[1] if said else "0"
    parts = python_parts(root / "requirements.lock", "required")
    known = {part["bom-ref"] for part in parts}
    for lock in ("requirements-dev.lock", "requirements-node.lock"):
        for part in python_parts(root / lock, "excluded"):
            if part["bom-ref"] not in known:
                known.add(part["bom-ref"])
                parts.append(part)
    parts += web_parts(root / "web/package-lock.json")
    me = {"type": "application", "bom-ref": f"pkg:pypi/leadmill@{version}", "name": "leadmill", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**me, "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": sorted(parts, key=lambda part: str(part["bom-ref"])),
    }


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Write the bill of materials.")
    parser.add_argument("file", nargs="?", help="where to; standard output if left out")
    args = parser.parse_args()
    text = json.dumps(bill(), indent=1) + "\n"
    if args.file:
        target = Path(args.file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(f"{args.file}: {text.count('bom-ref') - 1} components", file=sys.stderr)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
