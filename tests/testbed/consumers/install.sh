#!/usr/bin/env bash
# Libraries that check our tokens: PyJWT and joserfc (Authlib's JOSE) for Python, jose for Node.
#   install.sh DIR      prints KEY=VALUE lines; progress goes to stderr
# The first run takes about ten seconds and 40 MB; a run that finds the same set in place ends at once. An interrupted
# run leaves no stamp, so the next one starts anew; two runs at a time wait for each other.
# Needs: Python 3.10 or newer with venv, Node 18 or newer, npm, package indexes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:?usage: install.sh DIR}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
stamp=$dir/.countersign-stamp
log=$dir/install.log
want=$(cat "$here/requirements.txt" "$here/package-lock.json" | sha256sum | cut -d" " -f1)

fail() { tail -n 15 "$log" >&2; echo "error: $1" >&2; echo "help: the whole log is $log; run this again when the cause is gone" >&2; exit 1; }

# The stamp is written last; the interpreter is tried because an upgrade of the system's Python breaks the links to it.
in_place() { [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && "$dir/python/bin/python" -c '' 2>/dev/null; }

install() {
  echo "consumers: installing PyJWT, joserfc and jose into $dir" >&2
  rm -rf "$stamp" "$dir/python" "$dir/node"
  mkdir "$dir/node"
  cp "$here/package.json" "$here/package-lock.json" "$dir/node"
  # Debian's own Python first: another one on the PATH may come without venv.
  { /usr/bin/python3 -m venv "$dir/python" || python3 -m venv --clear "$dir/python"; } > "$log" 2>&1 || fail "no Python with the venv module"
  # wheels only: nothing here may need a compiler
  "$dir/python/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off --only-binary :all: \
    -r "$here/requirements.txt" >> "$log" 2>&1 || fail "pip could not install PyJWT and joserfc"
  npm ci --prefix "$dir/node" --ignore-scripts --no-audit --no-fund >> "$log" 2>&1 || fail "npm could not install jose"
  echo "$want" > "$stamp"
}

exec 9> "$dir/.lock"
flock 9
in_place || install
printf '%s\n' "PYTHON=$dir/python/bin/python" "NODE_FOLDER=$dir/node"
