#!/bin/sh
# Plans the out-of-the-box chain on a Ballista cluster with its home in an S3 server and in an Azure Blob server, from which executors read, and in one process,
# and wants the same bytes. Usage: tests/cluster/stores.sh FERRY [CONTACTS], built with `--features cluster`. Installs moto (PyPI) and azurite (npm)
# into a folder of its own.
set -eu
ferry=$(realpath "$1") contacts=${2:-2000}
stores=$(dirname "$(dirname "$(realpath "$0")")")/stores
work=$(mktemp -d)
trap 'kill -9 $(cat "$work"/*.pid) 2> /dev/null || true; rm -rf "$work"' EXIT
cd "$work"
. "$stores/servers.sh"
export AWS_ENDPOINT=http://127.0.0.1:5999 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_REGION=us-east-1 AZURE_STORAGE_USE_EMULATOR=true
begin() { # NAME WORDS COMMAND…: a process of its own, that has begun when it says so
    name=$1 words=$2
    shift 2
    "$@" > "$name.log" 2>&1 & echo $! > "$name.pid"
    for _ in $(seq 600); do grep -q "$words" "$name.log" 2> /dev/null && return; sleep 0.1; done
    cat "$name.log"
    exit 1
}
begin sandbox Serving "$ferry" sandbox --rows "$contacts" --limits-scale 1000 --write-project project
begin scheduler 'http://' "$ferry" cluster scheduler --listen 127.0.0.1:0
cluster=$(sed -n 's/^Scheduler *//p' scheduler.log)
for n in 1 2; do
    "$ferry" cluster executor --scheduler "$cluster" --cores 1 --memory-mb 512 --work "$work/work-$n" > "executor-$n.log" 2>&1 & echo $! > "executor-$n.pid"
done
set -a; . project/secrets.env; set +a

plan() { # NAME HOME HOW…: what it shows, byte for byte
    name=$1 home=$2
    shift 2
    code=0
    "$ferry" plan 'Dynamics_Company Person Sync' --project project --home "$home" --local-home "local-$name" --clock-scale 1000 --out "plan-$name" "$@" > "$name.log" 2>&1 || code=$?
    [ "$code" -le 1 ] || { cat "$name.log" executor-*.log; exit 1; }
    (cd "plan-$name"; find . -name '*.parquet' -exec sha256sum {} + | sort) > "$name.sums"
    [ -s "$name.sums" ] || { echo "$name shows nothing"; exit 1; }
    cmp here.sums "$name.sums"
    echo "$name: $(wc -l < "$name.sums") files, the same"
}
plan here "$work/home"
before=0
for name in s3 az; do
    plan "$name" "$name://acme/cluster" --cluster "$cluster"
    # Each piece of work leaves a trace in its executor's folder.
    after=$(find work-1 work-2 -mindepth 1 -maxdepth 1 2> /dev/null | wc -l)
    [ "$after" -gt "$before" ] || { echo "$name: no executor had work"; exit 1; }
    before=$after
done
