#!/bin/sh
# The browser test drives the Web UI in a real Chromium. On Debian and Ubuntu it comes from the system's packages;
# with the emoji font the model card looks in pictures as it does on a desk. The README's tour uses curl.
set -eu
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The browser test needs Chromium: install it with your system's package manager, then run make again." >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "The browser test needs Chromium: run this as root, or leave the test out with: pytest -m 'not browser'" >&2
    exit 1
  fi
  as_root="sudo"
fi
echo "Installing Chromium for the browser test ..."
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends chromium curl fonts-noto-color-emoji >/dev/null
