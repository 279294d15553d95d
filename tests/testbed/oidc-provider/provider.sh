#!/usr/bin/env bash
# The OpenID provider of server.mjs, installed where it is missing.
#   provider.sh run [--tls DIR] [OPTION]…    OPTIONs are those of server.mjs; prints KEY=VALUE lines, OIDC_PID last, when it
#                                            answers; ends with its standard input, or on TERM or INT
#   provider.sh login ISSUER [OPTION]…       logs in without a browser; prints the tokens, as login.mjs says
# --tls DIR serves https with a certificate of an authority made in DIR, whose own is OIDC_CA.
set -euo pipefail
case ${1:-} in run | login) ;; *) sed -n '3,5s/^# \{0,1\}//p' "$0" >&2; exit 64 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
node=$("$here/../node/install.sh" < /dev/null)
node=${node#NODE=}
# What Node says of its own version is no news.
[ "$1" = run ] || exec "$node" --no-warnings "$here/login.mjs" "${@:2}"
shift
tls=()
if [ "${1:-}" = --tls ]; then
  "$here/../tls/make_ca.sh" "${2:?DIR}"
  tls=(--cert "$2/server.pem" --key "$2/server.key")
  echo "OIDC_CA=$2/ca.pem"
  shift 2
fi
folder=$("$here/install.sh" < /dev/null)
exec "$node" --no-warnings "$here/server.mjs" "${folder#NODE_FOLDER=}" "${tls[@]}" "$@"
