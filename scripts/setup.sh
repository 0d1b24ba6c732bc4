#!/bin/sh
# Set up .venv with locked dependencies, Leadmill itself (editable) and the web assets.
# `scripts/setup.sh dev` adds the test and lint tools. Each part leaves a stamp named after the hash of
# what it was made from, so a second run only compares hashes. Safe to start twice at once.
set -eu
cd "$(dirname "$0")/.."

say() { printf '==> %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$*" >&2
    exit 3
}

# One set-up at a time in this directory.
if [ -z "${LEADMILL_SETUP_LOCKED:-}" ] && command -v flock >/dev/null 2>&1; then
    export LEADMILL_SETUP_LOCKED=1
    exec flock --close . "$0" "$@"
fi

new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.11 or newer"
        printf '%s' "$PYTHON"
        return
    fi
    for name in python3.11 python3.12 python3.13 python3; do
        if command -v "$name" >/dev/null 2>&1 && new_enough "$name"; then
            printf '%s' "$name"
            return
        fi
    done
    die 'Python 3.11 or newer is needed (Debian 12: apt-get install python3 python3-venv)'
}

make_venv() {
    python=$(find_python)
    say "Making .venv with $("$python" --version)"
    # Debian splits the venv module off: without ensurepip a new environment has no pip.
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
            die "this Python has no venv module; as root: apt-get install python$version-venv"
        say "Installing Debian's python$version-venv"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "python$version-venv"; } \
            >/dev/null || die "could not install python$version-venv"
    fi
    rm -rf .venv
    "$python" -m venv .venv || die 'could not make .venv (the message above says why)'
    mkdir -p .venv/stamps
    pwd >.venv/stamps/place
}

# An environment names its own folder in every script, so a moved or copied one is made anew.
usable_venv() { [ "$(cat .venv/stamps/place 2>/dev/null)" = "$(pwd)" ] && .venv/bin/python -c '' 2>/dev/null; }

hash_of() { cat "$@" | sha256sum | cut -c1-16; }
fresh() { [ -e ".venv/stamps/$1-$2" ]; }
stamp() {
    rm -f ".venv/stamps/$1-"*
    : >".venv/stamps/$1-$2"
}

install_lock() { # name, lock file, what to say
    key=$(hash_of "$2")
    fresh "$1" "$key" && return
    say "$3"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --no-deps --requirement "$2" ||
        die "could not install $2; is the package index reachable?"
    stamp "$1" "$key"
}

usable_venv || make_venv

install_lock runtime requirements.lock \
    "Installing $(grep -c '^[a-z].*==' requirements.lock) locked packages (about 300 MB; some minutes on a slow line)"
[ "${1:-}" = dev ] && install_lock dev requirements-dev.lock \
    "Installing $(grep -c '^[a-z].*==' requirements-dev.lock) locked test and lint packages"

# The editable install only holds a path and the entry points, so it depends on pyproject.toml alone.
key=$(hash_of pyproject.toml src/leadmill/__init__.py)
if ! fresh leadmill "$key"; then
    say 'Installing Leadmill itself (editable)'
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --no-index \
        --no-build-isolation --no-deps --editable . || die 'could not install Leadmill itself'
    stamp leadmill "$key"
fi

# LightGBM, which learns models, stands on the compiler's OpenMP; a bare Debian comes without it.
if ! .venv/bin/python -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null && [ "$(uname)" = Linux ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Installing Debian's libgomp1 for learned models"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libgomp1; } \
            >/dev/null || say 'libgomp1 could not be installed: models cannot be learned until it is' >&2
    else
        say 'No libgomp on this machine: models cannot be learned until root does: apt-get install libgomp1' >&2
    fi
fi

scripts/web.sh
say 'Set-up is complete'
