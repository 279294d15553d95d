#!/bin/sh
# Installs a build: PREFIX/bin/countersign and PREFIX/lib/countersign/*.so, where the
# server looks for plugins by itself. Run it as root for a system folder: the server
# takes plugins only from files and folders of root or of its own user that nobody
# else can write.
#
#   cargo build --release && sudo config/deploy/install.sh /usr/local
#   config/deploy/install.sh PREFIX [BUILD]     BUILD: the folder of the built files,
#                                               ${CARGO_TARGET_DIR:-target}/release
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: install.sh PREFIX [BUILD]" >&2
    exit 64
fi
prefix=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
build=${2:-${CARGO_TARGET_DIR:-$source/target}/release}
umask 022

# All of them are there before the first is installed.
set -- "$build/countersign"
for plugin in "$source"/plugins/*/; do
    set -- "$@" "$build/libcountersign_$(basename "$plugin").so"
done
for file; do
    if [ ! -f "$file" ]; then
        echo "error: $file is missing" >&2
        echo "help: cargo build --release, or name the folder of the build" >&2
        exit 1
    fi
done

# install(1) makes a new file and renames nothing: a running server keeps its own copy.
install -d -m 0755 "$prefix/bin" "$prefix/lib/countersign"
install -m 0755 "$1" "$prefix/bin/countersign"
shift
install -m 0644 "$@" "$prefix/lib/countersign/"
echo "installed $prefix/bin/countersign and $# plugins in $prefix/lib/countersign"
