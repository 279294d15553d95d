# What the scripts of small servers share; sourced by them.

# They fetch the JWKS from this machine; a proxy would not find it.
export NO_PROXY='*' no_proxy='*'

fail() { echo "error: $1" >&2; echo "help: $2" >&2; exit 1; }

# A loopback address that no other running script has, made from the process id (22 bits on Linux): neither nginx nor
# Apache takes port 0, and a free port that was only looked for may be somebody else's a moment later.
own_address() { echo "127.$(($$ >> 14 & 255)).$(($$ >> 7 & 127 | 128)).$((($$ & 127) + 1))"; }

# A port that nobody listens on at the moment, for servers that cannot choose one themselves.
free_port() {
  perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 0) or die; print $s->sockport'
}

# The beginning of a configuration of nginx, as far as into its http block: it stays in front, and everything is in
# folder $1, the log in file $2. Further arguments are lines of the outermost level.
nginx_beginning() {
  local dir=$1 log=$2
  shift 2
  mkdir -p "$dir/temp"
  # the folder belongs to whoever runs the tests
  [ "$(id -u)" != 0 ] || echo "user root;"
  printf '%s\n' "$@" "daemon off;" "worker_processes 1;" "pid $dir/nginx.pid;" "error_log $log warn;" "events {}" "http {" \
    "    access_log off;" "    client_body_temp_path $dir/temp;" "    proxy_temp_path $dir/temp;" \
    "    fastcgi_temp_path $dir/temp;" "    uwsgi_temp_path $dir/temp;" "    scgi_temp_path $dir/temp;"
}

# Returns when process $1 listens on each further ADDRESS/PORT; gives up when it ends, or after ten seconds.
wait_until_ready() {
  local process=$1 place end=$((SECONDS + 10))
  shift
  for place; do
    until (exec 3<> "/dev/tcp/$place") 2> /dev/null; do
      kill -0 "$process" 2> /dev/null && [ "$SECONDS" -lt "$end" ] || return 1
      sleep 0.02
    done
  done
}

# Keeps process $1 until TERM, INT or the end of descriptor 3, which is the script's standard input, so that a test
# which dies takes it along.
until_told() {
  local process=$1 reader
  trap 'kill "$process" 2> /dev/null' TERM INT
  cat <&3 > /dev/null &
  reader=$!
  wait -n "$reader" "$process" || :
  kill "$reader" "$process" 2> /dev/null || :
  wait "$process" || :
}

# Where what is installed once is kept, outside the checkout.
test_cache() { echo "${COUNTERSIGN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/countersign}"; }

# Installs the packages of the lock file in folder $1 into folder $2, unless the same set is there; prints NODE_FOLDER=….
node_packages() {
  local from=$1 dir=$2 want
  command -v npm > /dev/null || fail "npm is missing" "install Node with npm"
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  want=$(sha256sum < "$from/package-lock.json")
  exec 9> "$dir/.lock"
  flock 9
  if [ "$(cat "$dir/.countersign-stamp" 2> /dev/null)" != "$want" ]; then
    echo "installing the packages of $(basename "$from") into $dir" >&2
    rm -rf "$dir/.countersign-stamp" "$dir/node_modules"
    cp "$from/package.json" "$from/package-lock.json" "$dir"
    npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund > "$dir/install.log" 2>&1 ||
      { tail -n 15 "$dir/install.log" >&2; fail "npm could not install" "the whole log is $dir/install.log; run this again when the cause is gone"; }
    echo "$want" > "$dir/.countersign-stamp"
  fi
  exec 9>&-
  echo "NODE_FOLDER=$dir"
}
