#!/bin/sh
# Starts a PostgreSQL of its own, in a temporary folder and on a free port of loopback, runs a command with FERRY_TEST_POSTGRES naming
# it, and takes everything away again. Debian's package is installed where there is none, if whoever calls may do that.
# Usage: tests/postgres/server.sh COMMAND [ARGUMENT ...]
set -eu
found() { for one in /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb || echo /)")"; do [ -x "$one/initdb" ] && echo "$one"; done | sort -V | tail -1; }
if [ -z "$(found)" ] && [ "$(id -u)" = 0 ]; then
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends postgresql > /dev/null
fi
bin=$(found)
[ -n "$bin" ] || { echo "there is no PostgreSQL: install Debian's package postgresql" >&2; exit 7; }
# Not below TMPDIR where this is root: that may be a folder of root's alone, into which the server's user cannot look.
above=${TMPDIR:-/tmp}
[ "$(id -u)" = 0 ] && above=/tmp && [ -w /dev/shm ] && above=/dev/shm
work=$(mktemp -d "$above/postgres.XXXXXX")
# The server refuses to run as root.
as=""
if [ "$(id -u)" = 0 ]; then
    as="runuser -u postgres --"
    chown postgres "$work"
fi
trap '$as "$bin/pg_ctl" -D "$work/data" -m immediate stop > /dev/null 2>&1 || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
printf 'not-for-people' > password && chmod 644 password
$as "$bin/initdb" -D data -U ferry --auth=scram-sha-256 --pwfile=password -E UTF8 > initdb.log
$as openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout data/server.key -out data/server.crt 2> /dev/null
cp data/server.crt authority.pem && chmod 644 authority.pem
for _ in 1 2 3 4 5; do
    port=$(awk 'BEGIN { srand(); print 20000 + int(rand() * 30000) }')
    $as "$bin/pg_ctl" -D data -w -l "$work/data/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work -c max_connections=200 -c ssl=on" start > /dev/null && break
    port=
    sleep 1
done
[ -n "${port:-}" ] || { cat data/log >&2; exit 7; }
cd - > /dev/null
FERRY_TEST_POSTGRES_CA="$work/authority.pem" FERRY_TEST_POSTGRES="postgres://ferry:not-for-people@127.0.0.1:$port/postgres" "$@"
