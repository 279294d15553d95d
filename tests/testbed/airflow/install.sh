#!/usr/bin/env bash
# Apache Airflow with the FAB provider, airflowctl and the Python client, in a Python virtual environment of its own.
#   install.sh VENV_DIR      prints KEY=VALUE lines; progress goes to stderr
# The first run takes about a minute and 330 MB (167 wheels); a run that finds the same set in place ends at once.
# An interrupted run leaves no stamp, so the next one starts anew; two runs at a time wait for each other.
# Needs: Python 3.11 to 3.14 with venv, a package index. Without a Python it installs python3 and python3-venv (root or sudo).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:?usage: install.sh VENV_DIR}
mkdir -p "$(dirname "$venv")"
venv=$(cd "$(dirname "$venv")" && pwd)/$(basename "$venv")
stamp=$venv/.countersign-stamp
log=$venv/install.log
want=$(grep -hv "^#" "$here/requirements.txt" "$here/constraints.txt" | sha256sum | cut -d" " -f1)   # of the set, not its comments

say() { echo "airflow: $*" >&2; }
fail() { echo "error: $1" >&2; echo "help: $2" >&2; exit 1; }

# The stamp is written last; the interpreter is tried because an upgrade of the system's Python breaks the links to it.
in_place() { [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && [ -x "$venv/bin/airflow" ] && "$venv/bin/python" -c '' 2>/dev/null; }

usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; }

find_python() {
  local name
  for name in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
    if usable "$name"; then echo "$name"; return; fi
  done
  return 1
}

install_python() {
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  command -v apt-get > /dev/null && { [ -z "$sudo" ] || command -v sudo > /dev/null; } ||
    fail "no Python 3.11 to 3.14 with the venv module" "install one (Debian: apt-get install python3 python3-venv)"
  say "no Python with venv: installing python3 and python3-venv${sudo:+ with sudo}"
  $sudo apt-get update -qq >&2 || :
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv >&2 ||
    fail "apt-get could not install python3-venv" "its words are above"
}

# One line that counts packages on a terminal, one line for every fifty in a log file.
progress() {
  local tty=0
  [ -t 2 ] && tty=1
  awk -v total="$(grep -c == "$here/constraints.txt")" -v tty=$tty '
    /^Collecting / && ++n { if (tty) printf "\rairflow: fetching packages %d of about %d ", n, total
                            else if (n % 50 == 0) printf "airflow: fetching packages %d of about %d\n", n, total; fflush() }
    /^Installing collected/ { printf "%sairflow: unpacking them, about half a minute more\n", tty ? "\n" : ""; fflush() }' >&2
}

install() {
  local python
  if [ -e "$venv" ] && [ -n "$(ls -A "$venv")" ]; then
    [ -e "$venv/pyvenv.cfg" ] || fail "$venv exists and is no virtual environment" "give another folder, or empty this one"
    rm -rf "$venv"
  fi
  python=$(find_python) || { install_python; python=$(find_python); } ||
    fail "the installed Python is older than 3.11 or newer than 3.14" "Airflow's FAB provider 3.10.2 needs 3.11 or newer; install python3.11 to python3.14 with venv"
  say "installing Airflow into $venv ($("$python" --version))"
  "$python" -m venv "$venv"
  # wheels only: nothing here may need a compiler
  "$venv/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off --only-binary :all: \
    -r "$here/requirements.txt" -c "$here/constraints.txt" 2>&1 | tee "$log" | progress ||
    { tail -n 15 "$log" >&2; fail "pip could not install Airflow" "the whole log is $log; run this again when the cause is gone"; }
  "$venv/bin/python" -m pip --disable-pip-version-check check >> "$log" 2>&1 ||
    fail "the installed packages contradict each other" "see the end of $log"
  echo "$want" > "$stamp"
}

exec 9> "$venv.lock"
flock 9
in_place || install
printf '%s\n' "AIRFLOW_VENV=$venv" "AIRFLOW_CLI=$venv/bin/airflow" "AIRFLOW_CTL=$venv/bin/airflowctl" \
  "AIRFLOW_PYTHON=$venv/bin/python" "AIRFLOW_SET=$want"
