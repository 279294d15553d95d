#!/usr/bin/env bash
# nginx in front of a page that needs one of our tokens, with config/deploy/nginx as it is shipped.
#   nginx.sh run DIR COUNTERSIGN ISSUER AUDIENCE   COUNTERSIGN = HOST:PORT; prints KEY=VALUE lines when it answers; ends on
#                                                  TERM, INT or the end of its standard input
# GET /page answers 200 with the token's subject in X-Remote-User. As root or not; everything is in DIR.
# Needs: apt-get install nginx libnginx-mod-http-js.
set -euo pipefail
[ $# = 5 ] && [ "$1" = run ] || { sed -n '3,4s/^# \{0,1\}//p' "$0" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
mkdir -p "$2"
dir=$(cd "$2" && pwd)
countersign=$3 issuer=$4 audience=$5
shipped=$(realpath "$here/../../../config/deploy/nginx")
module=/usr/lib/nginx/modules/ngx_http_js_module.so
[ -e "$module" ] || fail "nginx has no njs: $module is missing" "install libnginx-mod-http-js"
PATH=$PATH:/usr/sbin

address=$(own_address) port=28080
mkdir -p "$dir"/{cache,pages}
echo page > "$dir/pages/page"
{
  nginx_beginning "$dir" "$dir/error.log" "load_module $module;"
  cat << C
    proxy_cache_path $dir/cache keys_zone=countersign:1m max_size=1m use_temp_path=off;
    js_import countersign from $shipped/countersign.js;
    upstream countersign { server $countersign; }
    server {
        listen $address:$port;
        root $dir/pages;
        set \$countersign_issuer $issuer;
        set \$countersign_audience $audience;
        include $shipped/countersign.conf;
        location / {
            auth_request /_countersign/verify;
            auth_request_set \$subject \$sent_http_x_token_subject;
            auth_request_set \$challenge \$sent_http_www_authenticate;
            add_header WWW-Authenticate \$challenge always;
            add_header X-Remote-User \$subject;
        }
    }
}
C
} > "$dir/nginx.conf"

exec 3<&0
nginx -e "$dir/error.log" -p "$dir" -c "$dir/nginx.conf" > "$dir/out" 2>&1 < /dev/null 3<&- &
if ! wait_until_ready $! "$address/$port"; then
  tail -n 15 "$dir/out" "$dir/error.log" >&2
  kill $! 2> /dev/null || :
  fail "nginx did not start on $address:$port" "its words are above"
fi
printf '%s\n' "ADDRESS=$address:$port" "LOG=$dir/error.log"
until_told $!
