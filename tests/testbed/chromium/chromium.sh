#!/usr/bin/env bash
# A headless Chromium that does what it is told: browser.mjs, installed where it is missing.
#   chromium.sh run     one step a line on standard input, one answer a line on standard output; ends with its standard input
# Needs: chromium (or COUNTERSIGN_TEST_CHROMIUM, its path), a font, Node.
set -euo pipefail
[ "${1:-}" = run ] || { sed -n '3p' "$0" | cut -c3- >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
browser=${COUNTERSIGN_TEST_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || :)}
[ -n "$browser" ] || fail "Chromium is missing" "install the package chromium, or set COUNTERSIGN_TEST_CHROMIUM to its path"
folder=$("$here/install.sh" < /dev/null)
node=$("$here/../node/install.sh" < /dev/null)
exec "${node#NODE=}" "$here/browser.mjs" "${folder#NODE_FOLDER=}" "$browser"
