#!/usr/bin/env bash
# A MariaDB server of its own: its folder, a Unix socket in it, one TCP port with and without TLS.
#
#   mariadb.sh start DIR [PORT]   PORT 0 or absent = a free one; prints KEY=VALUE lines
#   mariadb.sh run   DIR [PORT]   the same, until standard input or the process ends; then DIR is removed
#   mariadb.sh stop  DIR          at once, as in a crash; may be repeated
#
# User testbed / testbed-pw with all rights, database testbed. Needs the Debian package
# mariadb-server. The server refuses to run as root: there it runs as the user mysql.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
cmd=${1:?start|run|stop} dir=${2:?DIR} port=${3:-0}
PATH=$PATH:/usr/sbin
command -v mariadbd >/dev/null || { echo "error: no MariaDB server; install the package mariadb-server" >&2; exit 1; }

as() {
    if [ "$(id -u)" = 0 ]; then runuser -u mysql -- "$@"; else "$@"; fi
}

start() {
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    chmod 755 "$dir"
    "$here/../tls/make_ca.sh" "$dir/tls"
    [ "$(id -u)" = 0 ] && chown -R mysql "$dir"
    if [ ! -d "$dir/data/mysql" ]; then
        as mariadb-install-db --no-defaults --auth-root-authentication-method=normal --skip-test-db \
            --skip-name-resolve --datadir="$dir/data" >"$dir/install.log" 2>&1 || { tail -5 "$dir/install.log" >&2; exit 1; }
    fi
    [ "$port" != 0 ] || port=$(free_port)
    cat >"$dir/init.sql" <<SQL
CREATE DATABASE IF NOT EXISTS testbed;
CREATE USER IF NOT EXISTS 'testbed'@'127.0.0.1' IDENTIFIED BY 'testbed-pw';
GRANT ALL ON *.* TO 'testbed'@'127.0.0.1' WITH GRANT OPTION;
SQL
    chmod 644 "$dir/init.sql"
    as mariadbd --no-defaults --datadir="$dir/data" --socket="$dir/m.sock" --pid-file="$dir/pid" --port="$port" \
        --bind-address=127.0.0.1 --skip-name-resolve --character-set-server=utf8mb4 --init-file="$dir/init.sql" \
        --innodb-flush-log-at-trx-commit=2 --innodb-buffer-pool-size=32M --max-connections=200 \
        --ssl-ca="$dir/tls/ca.pem" --ssl-cert="$dir/tls/server.pem" --ssl-key="$dir/tls/server.key" \
        </dev/null >"$dir/mariadb.log" 2>&1 &
    for _ in $(seq 600); do
        ! mariadb-admin --no-defaults --protocol=tcp --host=127.0.0.1 --port="$port" --user=testbed --password=testbed-pw \
            ping >/dev/null 2>&1 || break
        kill -0 $! 2>/dev/null || { tail -5 "$dir/mariadb.log" >&2; exit 1; }
        sleep 0.1
    done
    printf '%s\n' "MARIADB_PORT=$port" "MARIADB_CA=$dir/tls/ca.pem" "MARIADB_OTHER_CA=$dir/tls/other-ca.pem" "MARIADB_SOCKET=$dir/m.sock" "MARIADB_URL=mysql://testbed:testbed-pw@127.0.0.1:$port/testbed"
}

stop() {
    local pid
    pid=$(cat "$dir/pid" 2>/dev/null) || return 0
    kill -KILL "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
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
    *) echo "usage: mariadb.sh start|run|stop DIR [PORT]" >&2; exit 64 ;;
esac
