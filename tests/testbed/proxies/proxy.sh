#!/usr/bin/env bash
# A proxy that asks /auth/verify about each request, with the files of config/deploy as they are shipped.
#   proxy.sh nginx|traefik|envoy DIR COUNTERSIGN SERVICE QUERY   COUNTERSIGN and SERVICE = HOST:PORT, QUERY as `?role=Op` or
#                                                                empty; prints KEY=VALUE lines when it answers; ends on TERM,
#                                                                INT or the end of its standard input
# Everything is in DIR. Needs: nginx, or what install.sh gets.
set -euo pipefail
[ $# = 5 ] || { sed -n '3,5s/^# \{0,1\}//p' "$0" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
which=$1 countersign=$3 service=$4 query=$5
mkdir -p "$2"
dir=$(cd "$2" && pwd)
shipped=$(realpath "$here/../../../config/deploy")
PATH=$PATH:/usr/sbin
address=$(own_address) port=28080

programs() { "$here/install.sh" "$(test_cache)/proxies" > "$dir/programs"; . "$dir/programs"; }

# The shipped file with the addresses of this run: each must be there to be replaced.
shipped() {
  local text from
  text=$(cat "$shipped/$1"); shift
  while [ $# -gt 0 ]; do
    from=$1
    [[ $text == *"$from"* ]] || fail "the shipped file has no $from" "change this script with it"
    text=${text//"$from"/"$2"}; shift 2
  done
  printf '%s\n' "$text"
}

case $which in
  nginx)
    nginx_beginning "$dir" "$dir/log" > "$dir/nginx.conf"
    cat >> "$dir/nginx.conf" << C
    upstream countersign { server $countersign; keepalive 16; }
    server {
        listen $address:$port;
        location = /_countersign/verify {
            internal;
            proxy_pass http://countersign/auth/verify$query;
            include $shipped/nginx/verify.conf;
        }
        location / {
            auth_request /_countersign/verify;
            include $shipped/nginx/identity.conf;
            proxy_pass http://$service;
        }
    }
}
C
    run=(nginx -e "$dir/log" -p "$dir" -c "$dir/nginx.conf")
    ;;
  traefik)
    programs
    shipped traefik/countersign.yaml "127.0.0.1:8090/auth/verify" "$countersign/auth/verify$query" "127.0.0.1:8080" "$service" > "$dir/dynamic.yaml"
    cat > "$dir/traefik.yaml" << C
entryPoints: { web: { address: "$address:$port", http: { aliasHeadersStrategy: reject } } }
providers: { file: { filename: "$dir/dynamic.yaml", watch: false } }
global: { checkNewVersion: false, sendAnonymousUsage: false }
log: { level: INFO }
C
    run=("$TRAEFIK" --configFile="$dir/traefik.yaml")
    ;;
  envoy)
    programs
    between=${query:+${query#\?}&}
    shipped envoy/countersign.yaml "address: 127.0.0.1, port_value: 10000" "address: $address, port_value: $port" \
      "address: 127.0.0.1, port_value: 8090" "address: ${countersign%:*}, port_value: ${countersign#*:}" \
      "address: 127.0.0.1, port_value: 8080" "address: ${service%:*}, port_value: ${service#*:}" \
      "/auth/verify?path=" "/auth/verify?${between}path=" > "$dir/envoy.yaml"
    run=("$ENVOY" -c "$dir/envoy.yaml" --concurrency 1 --use-dynamic-base-id --log-level warning)
    ;;
  *) fail "no such proxy: $which" "nginx, traefik or envoy" ;;
esac

# Traefik listens before it has read which way requests go.
knows_its_way() {
  local line
  exec 4<> "/dev/tcp/$address/$port"
  printf 'GET / HTTP/1.0\r\n\r\n' >&4
  IFS= read -r line <&4 || :
  exec 4>&-
  [[ $line != *" 404 "* ]]
}

exec 3<&0
"${run[@]}" >> "$dir/log" 2>&1 < /dev/null 3<&- &
if ! wait_until_ready $! "$address/$port"; then
  tail -n 15 "$dir/log" >&2
  kill $! 2> /dev/null || :
  fail "$which did not start on $address:$port" "its words are above"
fi
[ "$which" != traefik ] || until knows_its_way; do kill -0 $! || fail "traefik ended" "its words are in $dir/log"; sleep 0.02; done
printf '%s\n' "ADDRESS=$address:$port" "LOG=$dir/log"
until_told $!
