#!/usr/bin/env bash
# The OpenID provider's packages: oidc-provider and jose, pinned to the last one.
#   install.sh [DIR]    prints NODE_FOLDER=…; progress goes to stderr. DIR is by default oidc-provider/ in
#                       ${COUNTERSIGN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/countersign}.
# The first run takes seconds; one that finds the same set in place ends at once. An interrupted run leaves no stamp, so the
# next one starts anew; two runs at a time wait for each other.
# Needs: Node, npm, a package index.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
node_packages "$here" "${1:-$(test_cache)/oidc-provider}"
