#!/bin/sh
# Check the import contracts of pyproject.toml; say one line when they hold, everything when they do not.
set -eu
cd "$(dirname "$0")/.."
if output=$(.venv/bin/lint-imports 2>&1); then
    printf '%s\n' "$output" | grep '^Contracts:'
else
    printf '%s\n' "$output"
    exit 1
fi
