#!/bin/sh
# The linters, then the whole suite, so that pytest's closing line is the last word. Fails if either does.
# Arguments go to pytest.
set -u
cd "$(dirname "$0")/.."
status=0
scripts/lint.sh || status=1
echo '==> tests'
.venv/bin/pytest -n 2 --dist worksteal "$@" || status=1
exit "$status"
