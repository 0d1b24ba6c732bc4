#!/bin/sh
# See to a Chromium for the browser tests: the one on PATH, else Debian's where we may install it.
set -eu

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "==> Installing Debian's chromium for the browser tests (about 300 MB)"
    if apt-get update -qq >/dev/null &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null; then
        exit 0
    fi
    echo '==> Chromium could not be installed: the browser tests will be skipped' >&2
else
    echo '==> No Chromium on PATH: the browser tests will be skipped.' >&2
    echo '    To run them, as root: apt-get install -y --no-install-recommends chromium fonts-liberation' >&2
fi
