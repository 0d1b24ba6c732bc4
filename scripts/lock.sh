#!/bin/sh
# Resolve requirements*.in into hashed lock files that name no index, and package-lock.json likewise.
set -eu
cd "$(dirname "$0")/.."
for name in requirements requirements-dev requirements-node; do
    echo "==> $name.lock"
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header "$@" "$name.in" --output-file "$name.lock"
done
if command -v npm >/dev/null 2>&1; then
    echo '==> web/package-lock.json'
    cd web
    npm install --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel=error
    # Funding notes are addresses too; they lock nothing.
    node -e '
        const fs = require("fs");
        const lock = JSON.parse(fs.readFileSync("package-lock.json", "utf8"));
        for (const entry of Object.values(lock.packages)) { delete entry.funding; delete entry.resolved; }
        fs.writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");'
fi
