#!/bin/sh
# Install hash-pinned requirements: deploy/install-packages.sh PYTHON REQUIREMENTS
# uv does in seconds what takes pip minutes. It is pinned there too, and looks for packages where pip is told to look.
set -eu
python=$1 requirements=$2

said() {  # a setting of pip, wherever it was made; several values are separated by spaces
  "$python" -m pip config list | sed -n "s/^[^=]*\.$1='\(.*\)'\$/\1/p" | sed 's/\\n/ /g' | tr '\n' ' ' | sed 's/^ *//; s/ *$//'
}

pip_install() {
  "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"
}

only_uv=$(mktemp)
trap 'rm -f "$only_uv"' EXIT
sed -n '/^uv==/,/[^\\]$/p' "$requirements" >"$only_uv"
pip_install "$only_uv"

index=$(said index-url) more=$(said extra-index-url) links=$(said find-links) certificates=$(said cert)
[ -z "$index" ] || export UV_DEFAULT_INDEX="${index##* }"
[ -z "$more" ] || export UV_INDEX="$more" UV_INDEX_STRATEGY=unsafe-best-match
[ -z "$links" ] || export UV_FIND_LINKS="$(echo "$links" | tr ' ' ',')"
[ -z "$certificates" ] || export SSL_CERT_FILE="${certificates##* }"
"$python" -m uv pip install --quiet --python "$python" --require-hashes -r "$requirements" || {
  echo "uv could not install the packages; pip tries, which takes some minutes ..." >&2
  pip_install "$requirements"
}
