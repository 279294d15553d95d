#!/usr/bin/env bash
# Apache with mod_auth_openidc before a page that needs one of our tokens, with config/deploy/apache as it is shipped.
#   apache.sh run DIR COUNTERSIGN ISSUER AUDIENCE   COUNTERSIGN = HOST:PORT; prints KEY=VALUE lines when it answers; ends on
#                                                   TERM, INT or the end of its standard input
# GET /page answers 200 with the token's subject in X-Remote-User. The module wants its JWKS by https, so that a second
# virtual host of the same Apache, with a certificate made for this run, stands before Countersign.
# As root the workers run as www-data: the folders above DIR must be searchable. Everything is in DIR.
# Needs: apt-get install apache2-bin libapache2-mod-auth-openidc openssl.
set -euo pipefail
[ $# = 5 ] && [ "$1" = run ] || { sed -n '3,4s/^# \{0,1\}//p' "$0" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../common.sh"
mkdir -p "$2"
dir=$(cd "$2" && pwd)
countersign=$3 issuer=$4 audience=$5
shipped=$(realpath "$here/../../../config/deploy/apache")
modules=/usr/lib/apache2/modules
[ -e "$modules/mod_auth_openidc.so" ] || fail "Apache has no mod_auth_openidc" "install libapache2-mod-auth-openidc"
PATH=$PATH:/usr/sbin

mkdir -p "$dir/pages"
chmod 755 "$dir" "$dir/pages"
echo page > "$dir/pages/page"
address=$(own_address) port=28080 tls=28443
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$address" \
  -addext "subjectAltName=IP:$address" -keyout "$dir/tls.key" -out "$dir/tls.pem" 2> "$dir/out"

{
  for name in mpm_event authn_core authz_core authz_user dir headers proxy proxy_http ssl auth_openidc; do
    echo "LoadModule ${name}_module $modules/mod_$name.so"
  done
  [ "$(id -u)" != 0 ] || printf 'User www-data\nGroup www-data\n'
  cat << C
ServerRoot $dir
PidFile $dir/apache.pid
Mutex file:$dir default
ServerName $address
ErrorLog $dir/error.log
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
MinSpareThreads 1
MaxSpareThreads 8
Listen $address:$tls
<VirtualHost $address:$tls>
    SSLEngine on
    SSLCertificateFile $dir/tls.pem
    SSLCertificateKeyFile $dir/tls.key
    ProxyPass / http://$countersign/
</VirtualHost>
Listen $address:$port
<VirtualHost $address:$port>
    DocumentRoot $dir/pages
    Define COUNTERSIGN_JWKS https://$address:$tls/.well-known/jwks.json
    Define COUNTERSIGN_ISSUER $issuer
    Define COUNTERSIGN_AUDIENCE $audience
    Define COUNTERSIGN_PATH /page
    OIDCCABundlePath $dir/tls.pem
    Include $shipped/countersign.conf
    Header set X-Remote-User "expr=%{REMOTE_USER}"
</VirtualHost>
C
} > "$dir/apache.conf"

exec 3<&0
apache2 -f "$dir/apache.conf" -DFOREGROUND > "$dir/out" 2>&1 < /dev/null 3<&- &
if ! wait_until_ready $! "$address/$port" "$address/$tls"; then
  tail -n 15 "$dir/out" "$dir/error.log" >&2
  kill $! 2> /dev/null || :
  fail "Apache did not start on $address:$port" "its words are above"
fi
printf '%s\n' "ADDRESS=$address:$port" "LOG=$dir/error.log"
until_told $!
