#!/usr/bin/env bash
# playwright-core, which drives the system's Chromium; it downloads no browser.
#   install.sh [DIR]    prints NODE_FOLDER=…; progress goes to stderr. DIR is by default chromium/ in
#                       ${COUNTERSIGN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/countersign}.
# As oidc-provider/install.sh in everything else. Needs: Node, npm, a package index.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
node_packages "$here" "${1:-$(test_cache)/chromium}"
