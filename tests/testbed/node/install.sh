#!/usr/bin/env bash
# Node 20 or newer: the system's, or one of our own where that is older, as Debian 12's is.
#   install.sh    prints NODE=…, the program's path; progress goes to stderr. Our own lies in node/ of
#                 ${COUNTERSIGN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/countersign}, and is never on the PATH: Debian's npm
#                 finds its parts with Debian's Node alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
OLDEST=20
system=$(command -v node || :)
version=$([ -z "$system" ] || "$system" --version || :)
major=${version#v}
major=${major%%.*}
if [ "${major:-0}" -ge "$OLDEST" ]; then
  echo "NODE=$system"
  exit
fi
folder=$(node_packages "$here" "$(test_cache)/node")
for own in "${folder#NODE_FOLDER=}"/node_modules/node-linux-*/bin/node; do
  "$own" --version > /dev/null 2>&1 || continue
  echo "NODE=$own"
  exit
done
fail "Node ${version:-is missing and} is too old, and no newer one runs on this machine ($(uname -m))" "install Node $OLDEST or newer"
