#!/bin/sh
# The tests of registries speak to a real one: Debian's docker-registry, of which the program alone is taken, so that no
# service is started and nobody needs to be root. Elsewhere, a `docker-registry` on the PATH does.
set -eu
into="$1"
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests of registries need docker-registry: put CNCF Distribution's program of that name on the PATH." >&2
  exit 1
fi
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
echo "Fetching a registry for the tests ..."
cd "$folder"
if ! apt-get download -qq docker-registry 2>/dev/null; then
  as_root=""
  [ "$(id -u)" = 0 ] || as_root="sudo"
  $as_root apt-get update -qq
  apt-get download -qq docker-registry
fi
dpkg-deb --fsys-tarfile docker-registry_*.deb | tar -xO ./usr/bin/docker-registry >registry
chmod 755 registry
cd - >/dev/null
mv "$folder/registry" "$into/docker-registry"
