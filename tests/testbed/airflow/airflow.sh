#!/usr/bin/env bash
# A real, unmodified Airflow with the FAB auth manager on SQLite; no systemd, everything in DIR, logs in DIR/log.
#   airflow.sh prepare DIR VENV                    database, accounts and a signing key of Airflow's own; prints KEY=VALUE lines
#   airflow.sh start   DIR VENV [PORT] [OPTIONS]   API server; waits until it answers; prints KEY=VALUE lines, also DIR/env
#   airflow.sh run     DIR VENV [PORT] [OPTIONS]   same, then stays in the foreground; ends on TERM, INT or the end of its
#                                                  standard input, so that a test which dies takes Airflow along
#   airflow.sh stop    DIR                         idempotent
#   airflow.sh cli     DIR VENV ARGUMENTS...       `airflow ARGUMENTS`: users export FILE, users list -o json, ...
#   airflow.sh ctl     DIR VENV ARGUMENTS...       `airflowctl ARGUMENTS` without a keyring: auth token --api-url URL ..., ...
# VENV comes from install.sh; it keeps the prepared database as a template, so only the first prepare takes its time.
# PORT 0 or absent = a free one. `start` on a running DIR prints the same lines again. OPTIONS of start and run:
#   --jwks-url URL                 whose tokens Airflow trusts: [api_auth] trusted_jwks_url
#   --own-key PEM --own-kid KID    Airflow signs its own tokens with this key; its public half must be in the JWKS
#   --set SECTION.KEY=VALUE        any other option of Airflow, such as api_auth.jwt_leeway=0; may repeat
# Accounts (id name password role), made by Airflow's own commands; the last two are then altered in the table:
#   1 admin admin-pw Admin · 2 viewer viewer-pw Viewer · 3 inactive inactive-pw Viewer, not active
#   4 legacy legacy-pw Op, with a pbkdf2 hash as Werkzeug wrote it before 3.0
set -euo pipefail
usage() { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 64; }
say() { echo "airflow: $*" >&2; }
fail() { echo "error: $1" >&2; echo "help: $2" >&2; exit 1; }

[ $# -ge 2 ] || usage
command=$1 dir=$2
shift 2
self=$(realpath "$0")

# Airflow's settings come from here alone, not from whoever calls.
for name in $(compgen -e AIRFLOW || :); do unset "$name"; done
# It fetches the JWKS from this machine; a proxy would not find it.
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

use_dir() { mkdir -p "$dir/log"; dir=$(cd "$dir" && pwd); export AIRFLOW_HOME=$dir/home; }

use_venv() {
  venv=${1:?VENV, made by install.sh}
  [ -s "$venv/.countersign-stamp" ] || fail "no Airflow in $venv" "run install.sh $venv first"
  venv=$(cd "$venv" && pwd)
}

# Runs Python as a one-off tool: reads a program from standard input.
py() { "$venv/bin/python" - "$@"; }

# --- prepare ---------------------------------------------------------------------------------------------------------

# The whole configuration of this Airflow, beside what `start` passes in the environment.
write_config() {
  mkdir -p "$AIRFLOW_HOME"
  cat > "$AIRFLOW_HOME/airflow.cfg" <<C
[core]
auth_manager = airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager
load_examples = False
[database]
sql_alchemy_conn = sqlite:///$AIRFLOW_HOME/airflow.db
[logging]
base_log_folder = $dir/log/airflow
C
}

airflow() { "$venv/bin/airflow" "$@"; }

user() { airflow users create --username "$1" --password "$1-pw" --role "$2" --email "$1@example.org" --firstname "${1^}" --lastname Example; }

# Chained by hand: `set -e` does not reach into a condition.
make_database() {
  airflow db migrate &&
    user admin Admin && user viewer Viewer && user inactive Viewer && user legacy Op &&
    py "$AIRFLOW_HOME/airflow.db" "$1" <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
# no command of Airflow makes these two
with db:
    db.execute("UPDATE ab_user SET active = 0 WHERE username = 'inactive'")
    db.execute("UPDATE ab_user SET password = ? WHERE username = 'legacy'", [
        "pbkdf2:sha256:260000$Zy7pQ2mX9aLkT4wB$9fe886f8d1a8daca9452936e18b3867408466da39dd2a06cb243823cc56d5726"])
db.execute("VACUUM INTO ?", sys.argv[2:])
P
}

# One template for each installed set and each wording of this script; it appears whole or not at all.
make_template() {
  say "preparing Airflow's database and accounts, once for this installation (about half a minute)"
  rm -rf "$venv"/prepare.*
  local work
  work=$(mktemp -d "$venv/prepare.XXXXXX")
  if ! ( dir=$work; use_dir && write_config && make_database "$work/template.db" ) > "$work/prepare.log" 2>&1; then
    tail -n 15 "$work/prepare.log" >&2
    fail "Airflow could not prepare its database" "its words are above and in $work/prepare.log"
  fi
  mv "$work/template.db" "$1"
  rm -rf "$work"
}

prepare() {
  local template
  use_venv "${1:-}"
  use_dir
  template=$venv/template-$(cat "$venv/.countersign-stamp" "$self" | sha256sum | cut -c1-16).db
  if [ ! -s "$AIRFLOW_HOME/airflow.db" ]; then
    ( flock 9; [ -s "$template" ] || make_template "$template" ) 9> "$venv/template.lock"
    write_config
    cp "$template" "$AIRFLOW_HOME/airflow.db.new"
    mv "$AIRFLOW_HOME/airflow.db.new" "$AIRFLOW_HOME/airflow.db"
  fi
  if [ ! -s "$dir/own/public.pem" ]; then
    mkdir -p "$dir/own"
    ( umask 077; openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/own/private.pem" )
    openssl pkey -in "$dir/own/private.pem" -pubout -out "$dir/own/public.pem"
  fi
  printf '%s\n' "AIRFLOW_HOME=$AIRFLOW_HOME" "AIRFLOW_DB=$AIRFLOW_HOME/airflow.db" "AIRFLOW_DB_URL=sqlite://$AIRFLOW_HOME/airflow.db" \
    "AIRFLOW_ADMIN=admin" "AIRFLOW_ADMIN_ID=1" "AIRFLOW_ADMIN_PASSWORD=admin-pw" \
    "AIRFLOW_VIEWER=viewer" "AIRFLOW_VIEWER_ID=2" "AIRFLOW_VIEWER_PASSWORD=viewer-pw" \
    "AIRFLOW_INACTIVE=inactive" "AIRFLOW_INACTIVE_ID=3" "AIRFLOW_INACTIVE_PASSWORD=inactive-pw" \
    "AIRFLOW_LEGACY=legacy" "AIRFLOW_LEGACY_ID=4" "AIRFLOW_LEGACY_PASSWORD=legacy-pw" \
    "AIRFLOW_OWN_KEY=$dir/own/private.pem" "AIRFLOW_OWN_PUBLIC_KEY=$dir/own/public.pem" "AIRFLOW_OWN_KID=airflow-own"
}

# --- start and stop --------------------------------------------------------------------------------------------------

pid() { cat "$dir/airflow.pid" 2>/dev/null; }
alive() { local p; p=$(pid) && kill -0 "$p" 2>/dev/null && grep -qa 'airflow.api.server' "/proc/$p/cmdline" 2>/dev/null; }

# The given port, or for 0 a free one below the range that the kernel hands out, so that nobody gets it while Airflow is
# still importing. A port in use is an error here: Airflow would find it out only after its five seconds of imports.
choose_port() {
  py "$1" <<'P'
import random, socket, sys
def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
wanted = int(sys.argv[1])
if wanted and not free(wanted):
    sys.exit(1)
while not wanted or not free(wanted):
    wanted = random.randrange(18000, 32000)
print(wanted)
P
}

# Returns when the server answers or its process is gone; gives up after two minutes.
wait_until_ready() {
  py "$1" "$2" <<'P'
import os, sys, time, urllib.request
url, pid, end = sys.argv[1] + "/api/v2/version", int(sys.argv[2]), time.monotonic() + 120
while time.monotonic() < end:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        sys.exit("the process ended")
    try:
        sys.exit(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).status != 200)
    except OSError:
        time.sleep(0.05)
sys.exit("no answer within two minutes")
P
}

# Airflow reads [section] key from AIRFLOW__SECTION__KEY.
set_option() {
  local key=${1%%=*}
  [[ $1 == *.*=* && $key == *.* ]] || fail "--set $1" "write --set SECTION.KEY=VALUE"
  key=${key^^}
  export "AIRFLOW__${key%%.*}__${key#*.}=${1#*=}"
}

start() {
  local port=0 jwks='' key='' kid='' url
  use_venv "${1:-}"; shift
  use_dir
  if alive && [ -s "$dir/env" ]; then cat "$dir/env"; return; fi
  stop   # what an interrupted start may have left
  [ -s "$AIRFLOW_HOME/airflow.db" ] || fail "no database in $AIRFLOW_HOME" "run airflow.sh prepare $dir $venv first"
  if [[ ${1:-} =~ ^[0-9]+$ ]]; then port=$1; shift; fi
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
      --jwks-url) jwks=$2 ;;
      --own-key) key=$2 ;;
      --own-kid) kid=$2 ;;
      --set) set_option "$2" ;;
      *) usage ;;
    esac
    shift 2
  done
  [ "${key:+set}" = "${kid:+set}" ] || fail "--own-key without --own-kid, or the reverse" "give both: Airflow's own choice of a kid is not the thumbprint"
  [ -z "$jwks" ] || set_option "api_auth.trusted_jwks_url=$jwks"
  [ -z "$key" ] || { set_option "api_auth.jwt_private_key_path=$(realpath "$key")"; set_option "api_auth.jwt_kid=$kid"; }
  url=http://127.0.0.1:$(choose_port "$port") || fail "port $port of 127.0.0.1 is taken" "give another one, or 0 for a free one"
  port=${url##*:}

  "$venv/bin/airflow" api-server --host 127.0.0.1 --port "$port" --apps core > "$dir/log/api-server.log" 2>&1 < /dev/null &
  echo $! > "$dir/airflow.pid"
  if ! wait_until_ready "$url" $!; then
    tail -n 15 "$dir/log/api-server.log" >&2
    stop
    fail "Airflow did not start on port $port" "the whole log is $dir/log/api-server.log"
  fi
  printf '%s\n' "AIRFLOW_URL=$url" "AIRFLOW_PORT=$port" "AIRFLOW_PID=$(pid)" "AIRFLOW_LOG=$dir/log/api-server.log" > "$dir/env"
  cat "$dir/env"
}

stop() {
  if alive; then
    kill -TERM "$(pid)" || :
    for _ in $(seq 200); do alive || break; sleep 0.05; done
    if alive; then kill -KILL "$(pid)" || :; fi
  fi
  rm -f "$dir/airflow.pid" "$dir/env"
}

run() {
  trap 'stop; exit 0' TERM INT
  start "$@"
  cat <&3 > /dev/null &
  wait -n $! "$(pid)" || :
  kill $! 2>/dev/null || :
  if ! alive; then rm -f "$dir/airflow.pid" "$dir/env"; fail "Airflow ended by itself" "the whole log is $dir/log/api-server.log"; fi
  stop
}

# --- commands of Airflow ---------------------------------------------------------------------------------------------

cli() { use_venv "${1:-}"; use_dir; exec "$venv/bin/airflow" "${@:2}"; }

# In debug mode airflowctl keeps its token in a file of AIRFLOW_HOME: a keyring needs a desktop.
ctl() {
  use_venv "${1:-}"; use_dir
  mkdir -p "$dir/ctl"
  exec env AIRFLOW_HOME="$dir/ctl" AIRFLOW_CLI_DEBUG_MODE=true "$venv/bin/airflowctl" "${@:2}"
}

case $command in
  prepare | start | stop | cli | ctl) "$command" "$@" ;;
  run) run "$@" 3<&0 ;;
  *) usage ;;
esac
