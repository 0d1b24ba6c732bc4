#!/bin/sh
# Build the web assets (web/ -> src/leadmill/interfaces/console/static/), only when a source changed.
# Uses the Node on PATH; where there is none, or an old one, takes Node as a hash-pinned wheel into .venv.
set -eu
cd "$(dirname "$0")/.."

say() { printf '==> %s\n' "$*"; }
die() {
    printf 'web assets: %s\n' "$*" >&2
    exit 3
}
hash_of() { cat "$@" | sha256sum | cut -c1-16; }

static=src/leadmill/interfaces/console/static
modules=$(hash_of web/package.json web/package-lock.json)
sources=$(find web/src -type f | LC_ALL=C sort | while read -r file; do echo "$file"; cat "$file"; done | cat - web/build.mjs | hash_of -)
wanted="$modules-$sources"

# The list of built files is the stamp: one of them gone means building again.
if [ "$(head -n 1 "$static/.built" 2>/dev/null)" = "$wanted" ]; then
    missing=$(tail -n +2 "$static/.built" | while read -r file; do [ -e "$static/$file" ] || echo "$file"; done)
    [ -z "$missing" ] && exit 0
fi

usable_node() { command -v npm >/dev/null 2>&1 && node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' >/dev/null 2>&1; }

if ! usable_node; then
    [ -x .venv/bin/python ] || die 'Node 18 or newer is needed, or .venv to put it in (make setup)'
    PATH="$PWD/.venv/bin:$PATH"
    if ! usable_node; then
        say 'No Node here: installing it as a wheel into .venv (about 60 MB)'
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps \
            --requirement requirements-node.lock || die 'could not install Node; is the package index reachable?'
    fi
fi

# Node brings its own list of authorities; let it also trust those that this machine trusts (a company's mirror, say).
system_ca=/etc/ssl/certs/ca-certificates.crt
[ -n "${NODE_EXTRA_CA_CERTS:-}" ] || [ ! -r "$system_ca" ] || export NODE_EXTRA_CA_CERTS="$system_ca"

if [ "$(cat web/node_modules/.installed 2>/dev/null)" != "$modules" ]; then
    say 'Installing the locked web packages'
    (cd web && npm ci --no-audit --no-fund --loglevel=error >/dev/null) || die 'npm ci failed; is the package index reachable?'
    echo "$modules" >web/node_modules/.installed
fi

say 'Building the web assets'
(cd web && node build.mjs "$wanted") || die 'the build failed; the message above says where'
