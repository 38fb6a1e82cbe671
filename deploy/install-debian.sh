#!/bin/sh
# What some tests need of Debian and Ubuntu: `install-debian.sh browser`, `install-debian.sh monitoring`.
# browser: the Web UI is driven in a real Chromium. With the emoji font the model card looks in pictures as it does on a
# desk. The README's tour uses curl. monitoring: real Prometheus and Alertmanager, which are not started here.
set -eu
case "${1:-}" in
  browser) packages="chromium curl fonts-noto-color-emoji" ;;
  monitoring) packages="prometheus prometheus-alertmanager" ;;
  *) echo "usage: install-debian.sh browser|monitoring" >&2; exit 2 ;;
esac
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need $packages: install them with your system's package manager, then run make again." >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "The tests need $packages: run this as root. Without a browser: pytest -m 'not browser'" >&2
    exit 1
  fi
  as_root="sudo"
fi
# A server of ours would find its port taken by one that the package has started.
policy=/usr/sbin/policy-rc.d
if [ "$1" = monitoring ] && [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
  trap '$as_root rm -f "$policy"' EXIT
fi
echo "Installing $packages for the tests ..."
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
