"""Asks a public database of advisories (OSV) about every pinned part: ``make audit``.

Takes the parts from the bill of materials, Python's and the web's. Exit status: 0 nothing known, 1 something known, and
where the database cannot be reached 0 with a plain word that nothing was checked, or 3 with ``--strict``.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import Any

from scripts.sbom import bill

DATABASE = "https://api.osv.dev/v1/querybatch"
_AT_ONCE = 500


def known_about(purls: list[str], database: str, patience: float) -> dict[str, list[str]]:
    """The advisories of each part that has any. Raises OSError where the database does not answer."""
    found: dict[str, list[str]] = {}
    for first in range(0, len(purls), _AT_ONCE):
        some = purls[first : first + _AT_ONCE]
        body = json.dumps({"queries": [{"package": {"purl": purl}} for purl in some]}).encode()
        asked = urllib.request.Request(database, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=patience) as reply:
            said: dict[str, Any] = json.load(reply)
        for purl, result in zip(some, said.get("results", []), strict=True):
            if ids := sorted(one["id"] for one in (result or {}).get("vulns", [])):
                found[purl] = ids
    return found


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Ask about advisories for every pinned part.")
    parser.add_argument("--strict", action="store_true", help="fail where the database cannot be reached")
    parser.add_argument("--database", default=DATABASE, help="another database that speaks OSV's protocol")
    parser.add_argument("--patience", type=float, default=10.0, help="seconds to wait for each answer")
    args = parser.parse_args()
    scopes = {part["purl"]: part["scope"] for part in bill()["components"]}
    try:
        found = known_about(sorted(scopes), args.database, args.patience)
    except (OSError, ValueError) as fault:
        why = getattr(fault, "reason", None) or type(fault).__name__
        print(f"audit: NOT CHECKED, the advisory database does not answer ({why})")
        return 3 if args.strict else 0
    for purl, ids in found.items():
        print(f"audit: {purl} ({scopes[purl]}): {', '.join(ids)}")
    print(f"audit: {len(scopes)} parts, {len(found)} with known advisories")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
