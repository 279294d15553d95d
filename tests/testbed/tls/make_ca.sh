#!/usr/bin/env bash
# Self-made CA plus good and bad leaf certificates for TLS tests. Needs only openssl >= 3.
# usage: make_ca.sh DIR [extra-SAN ...]        e.g. make_ca.sh DIR DNS:idp.test IP:127.0.0.2
# Idempotent: does nothing when DIR/ca.pem and every leaf exist. Output (PEM, PKCS#8 keys, P-256):
#   ca.pem/key          the trusted CA              other-ca.pem/key   a CA that nobody trusts
#   server.pem/key      localhost,127.0.0.1,::1 (+extra)   wronghost.pem/key  SAN wrong.invalid only
#   expired.pem/key     ended in the past            untrusted.pem/key  good names, signed by other-ca
#   client.pem/key      CN=client, EKU clientAuth    selfsigned.pem/key good names, own issuer
#   cnonly.pem/key      CN=127.0.0.1, no SAN         wildcard.pem/key   SAN *, *.0.0.1, *.localhost, local*
set -euo pipefail
d=${1:?usage: make_ca.sh DIR [extra-SAN ...]}; shift
mkdir -p "$d"; cd "$d"; umask 077
all="ca other-ca server wronghost expired untrusted client selfsigned cnonly wildcard"; have=1
for f in $all; do [ -s "$f.pem" ] && [ -s "$f.key" ] || have=0; done
[ $have = 1 ] && exit 0
san="DNS:localhost,IP:127.0.0.1,IP:::1"; for s in "$@"; do san="$san,$s"; done
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
ca() { key "$1"; openssl req -x509 -new -key "$1.key" -subj "/CN=$2" -days 3650 -out "$1.pem" \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign; }
leaf() { # name CN san eku ca days
  key "$1"; openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=%s\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' "$4" > "$1.ext"
  [ -z "$3" ] || printf 'subjectAltName=%s\n' "$3" >> "$1.ext"
  if [ "$6" = past ]; then # "openssl ca" is the only 3.0 command that sets an end date
    : > idx; printf 'unique_subject=no\n' > idx.attr; echo 10 > srl
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=idx\nserial=srl\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' > ca.cnf
    openssl ca -batch -notext -config ca.cnf -cert "$5.pem" -keyfile "$5.key" -in "$1.csr" -extfile "$1.ext" \
      -startdate 20200101000000Z -enddate 20200102000000Z -out "$1.pem" 2>/dev/null
    rm -f idx* srl* ca.cnf 10.pem
  else
    openssl x509 -req -in "$1.csr" -CA "$5.pem" -CAkey "$5.key" -CAcreateserial -days "$6" -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  fi; rm -f "$1.csr" "$1.ext"; }
ca ca "Testbed CA"; ca other-ca "Untrusted CA"
leaf server localhost "$san" serverAuth ca 3650
leaf wronghost wrong.invalid DNS:wrong.invalid serverAuth ca 3650
leaf expired localhost "$san" serverAuth ca past
leaf untrusted localhost "$san" serverAuth other-ca 3650
leaf client client DNS:client.test clientAuth ca 3650
leaf cnonly 127.0.0.1 "" serverAuth ca 3650
leaf wildcard 127.0.0.1 'DNS:*,DNS:*.0.0.1,DNS:*.localhost,DNS:local*' serverAuth ca 3650
key selfsigned; openssl req -x509 -new -key selfsigned.key -subj /CN=localhost -days 3650 -out selfsigned.pem -addext "subjectAltName=$san"
rm -f ./*.srl; chmod 644 ./*.pem
