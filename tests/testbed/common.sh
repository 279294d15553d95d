# What the scripts of small servers share; sourced by them, with $dir set.

fail() { echo "error: $1" >&2; echo "help: $2" >&2; exit 1; }

listening() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

# A free port below the range that the kernel hands out.
free_port() {
  local port
  while port=$((RANDOM % 12000 + 18000)); listening "$port"; do :; done
  echo "$port"
}

# Returns when process $1 listens on each further port; gives up when it ends, or after ten seconds.
wait_until_ready() {
  local process=$1 port end=$((SECONDS + 10))
  shift
  for port; do
    until listening "$port"; do
      kill -0 "$process" 2> /dev/null && [ "$SECONDS" -lt "$end" ] || return 1
      sleep 0.02
    done
  done
}

# Keeps process $1 until TERM, INT or the end of standard input, so that a test which dies takes it along.
until_told() {
  local process=$1 reader
  trap 'kill "$process" 2> /dev/null' TERM INT
  cat <&3 > /dev/null &
  reader=$!
  wait -n "$reader" "$process" || :
  kill "$reader" "$process" 2> /dev/null || :
  wait "$process" || :
}
