#!/usr/bin/env bash
# A PostgreSQL server of its own: its folder, a Unix socket in it, one TCP port with and without TLS.
#
#   pg.sh start DIR [PORT]   PORT 0 or absent = a free one; prints KEY=VALUE lines
#   pg.sh run   DIR [PORT]   the same, until standard input or the process ends; then DIR is removed
#   pg.sh stop  DIR          at once, as in a crash; may be repeated
#
# Superuser testbed / testbed-pw, database testbed. Needs the Debian package postgresql. The
# server refuses to run as root: there it runs as the user postgres.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
cmd=${1:?start|run|stop} dir=${2:?DIR} port=${3:-0}
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -x "$bin/initdb" ] || { echo "error: no PostgreSQL server; install the package postgresql" >&2; exit 1; }

as() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- env LC_ALL=C.UTF-8 "$@"; else LC_ALL=C.UTF-8 "$@"; fi
}

start() {
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    chmod 755 "$dir"
    "$here/../tls/make_ca.sh" "$dir/tls"
    [ "$(id -u)" = 0 ] && chown -R postgres "$dir"
    if [ ! -s "$dir/data/PG_VERSION" ]; then
        as sh -c 'echo testbed-pw >"$1/pw" && "$2/initdb" -D "$1/data" -U testbed --pwfile="$1/pw" -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$1/initdb.log" 2>&1; rm -f "$1/pw"' sh "$dir" "$bin"
    fi
    [ "$port" != 0 ] || port=$(free_port)
    as sh -c 'cat >"$1/data/postgresql.auto.conf"' sh "$dir" <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$dir'
fsync = off
# Commits stay synchronous: tests crash the server and want back what it has acknowledged.
full_page_writes = off
shared_buffers = 32MB
max_connections = 200
ssl = on
ssl_cert_file = '$dir/tls/server.pem'
ssl_key_file = '$dir/tls/server.key'
CONF
    printf 'local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n' | as sh -c 'cat >"$1/data/pg_hba.conf"' sh "$dir"
    as "$bin/pg_ctl" -D "$dir/data" -l "$dir/pg.log" -w -t 60 -s start </dev/null >&2 || { tail -5 "$dir/pg.log" >&2; exit 1; }
    # There already, when it is started again.
    as "$bin/psql" -qX -h "$dir" -p "$port" -U testbed -d testbed -c '' 2>/dev/null ||
        as "$bin/psql" -qX -h "$dir" -p "$port" -U testbed -d postgres -c 'CREATE DATABASE testbed' >&2
    printf '%s\n' "PG_PORT=$port" "PG_CA=$dir/tls/ca.pem" "PG_OTHER_CA=$dir/tls/other-ca.pem" "PG_SOCKET_DIR=$dir" "PG_URL=postgres://testbed:testbed-pw@127.0.0.1:$port/testbed"
}

stop() {
    [ ! -s "$dir/data/postmaster.pid" ] || as "$bin/pg_ctl" -D "$dir/data" -m immediate -w -s stop >&2 || :
}

case $cmd in
    start) start ;;
    run)
        trap 'stop; rm -rf "$dir"' EXIT
        trap 'exit 0' TERM INT
        start
        cat >/dev/null # until the one who started this ends
        ;;
    stop) stop ;;
    *) echo "usage: pg.sh start|run|stop DIR [PORT]" >&2; exit 64 ;;
esac
