#!/usr/bin/env bash
# A Samba domain controller of its own, which stands in for Active Directory: LDAP alone, on a loopback address of its
# own, port 389 (Samba takes no other).
#
#   samba.sh start DIR   prints KEY=VALUE lines
#   samba.sh run   DIR   the same, until standard input or the process ends; then DIR is removed
#   samba.sh stop  DIR   may be repeated
#
# What is in it: domain.py. Needs the Debian packages samba-ad-dc, samba-ad-provision and python3-samba, none of their
# services, and root for the port. Where this cannot be had, COUNTERSIGN_TEST_WITHOUT_SAMBA=1 leaves out the tests that
# start it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
cmd=${1:?start|run|stop} dir=${2:?DIR}
PATH=$PATH:/usr/sbin

without="or set COUNTERSIGN_TEST_WITHOUT_SAMBA=1 to leave its tests out"
python=/usr/bin/python3 # Samba's modules are Debian's own
command -v samba >/dev/null && [ -d /usr/share/samba/setup ] && "$python" -c 'import samba' 2>/dev/null ||
    fail "no Samba" "install the packages samba-ad-dc, samba-ad-provision and python3-samba, $without"
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "port 389 is for root" "run as root, allow sudo without a password, $without"
    exec sudo -n "$0" "$@"
fi

settings() {
    cat <<CONF
[global]
netbios name = DC1
realm = CORP.TEST
workgroup = CORP
server role = active directory domain controller
server services = ldap
dcerpc endpoint servers = none
interfaces = $1/8
bind interfaces only = yes
ldap server require strong auth = no
tls enabled = no
private dir = $dir/private
lock directory = $dir/lock
state directory = $dir/state
cache directory = $dir/cache
pid directory = $dir/run
ncalrpc dir = $dir/ncalrpc
binddns dir = $dir/dns
posix:eadb = $dir/eadb.tdb
logging = file
log file = $dir/log
[sysvol]
path = $dir/state/sysvol
[netlogon]
path = $dir/state/sysvol/corp.test/scripts
CONF
}

start() {
    local address
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    address=$(own_address)
    mkdir -p "$dir"/{private,lock,state,cache,run,ncalrpc,dns}
    settings "$address" >"$dir/smb.conf"
    "$python" "$here/domain.py" "$dir/smb.conf" "$address" >"$dir/provision.log" 2>&1 || { tail -20 "$dir/provision.log" >&2; exit 1; }
    samba -s "$dir/smb.conf" -i -M single </dev/null >"$dir/samba.log" 2>&1 &
    echo $! >"$dir/pid"
    wait_until_ready $! "$address/389" || { tail -5 "$dir/samba.log" >&2; exit 1; }
    printf '%s\n' "AD_URL=ldap://$address" AD_BASE=DC=corp,DC=test AD_SERVICE=svc@corp.test AD_SERVICE_PASSWORD=svc-pw
}

stop() {
    local pid
    pid=$(cat "$dir/pid" 2>/dev/null) || return 0
    if grep -qa samba "/proc/$pid/cmdline" 2>/dev/null; then kill "$pid" || :; fi
    rm -f "$dir/pid"
}

case $cmd in
    start) start ;;
    run)
        trap 'stop; rm -rf "$dir"' EXIT
        exec 3<&0
        start
        until_told "$(cat "$dir/pid")"
        ;;
    stop) stop ;;
    *) fail "unknown command $cmd" "start, run or stop" ;;
esac
