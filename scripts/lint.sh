#!/bin/sh
# ruff, mypy and the import contracts, all three even if the first has findings. Exit status 1 with findings.
set -u
cd "$(dirname "$0")/.."
status=0

echo '==> ruff'
.venv/bin/ruff check || status=1

echo '==> mypy'
.venv/bin/mypy || status=1

echo '==> import contracts'
if output=$(.venv/bin/lint-imports 2>&1); then
    printf '%s\n' "$output" | grep '^Contracts:'
else
    printf '%s\n' "$output" | sed -n '/^Contracts$/,$p' | grep . || printf '%s\n' "$output"
    status=1
fi
exit "$status"
