#!/bin/sh
# Runs the chain out of the box with its home in a folder, on an S3 server and on an Azure Blob server, and wants the same records in Gainsight
# of each: undisturbed, and killed again and again until it has come to its end. Each run has a sandbox of its own with the same world.
# Usage: tests/stores/homes.sh FERRY [ROWS [KILLS]], with the binary to try. Installs moto (PyPI) and azurite (npm) into a folder of its own.
set -eu
ferry=$(realpath "$1")
rows=${2:-3000}
kills=${3:-6}
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'kill $(cat "$work"/*.pid) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
. "$here/servers.sh"
export AWS_ENDPOINT=http://127.0.0.1:5999 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_REGION=us-east-1 AZURE_STORAGE_USE_EMULATOR=true
chain="Dynamics_Company Person Sync"

# Starts a sandbox for a run of this name, and sets what leads to it.
begin() {
    mkdir "$1"
    "$ferry" sandbox --rows "$rows" --limits-scale 1000 --write-project "$1/project" > "$1/sandbox.log" 2>&1 & echo $! > "$1.pid"
    until grep -q Serving "$1/sandbox.log" 2> /dev/null; do sleep 0.2; done
    set -a; . "$1/project/secrets.env"; set +a
    common="--project $1/project --home $2 --local-home $1/local --clock-scale 1000"
}

# Ends it: its records, without what the sandbox decides by chance.
end() {
    gainsight=$(sed -n 's/^Gainsight *//p' "$1/sandbox.log")
    venv/bin/python "$here/records.py" "$gainsight" > "$1.records"
    kill "$(cat "$1.pid")"
    echo "$1: $(wc -l < "$1.records") records"
    cmp folder.records "$1.records"
}

for name in folder s3 az; do
    case $name in folder) home=$work/folder/home ;; *) home=$name://acme/undisturbed ;; esac
    begin "$name" "$home"
    # shellcheck disable=SC2086
    "$ferry" run "$chain" $common --json > "$name.json" 2> "$name.log" || [ $? = 1 ] || { cat "$name.log"; exit 1; }
    end "$name"
done

for name in folder s3 az; do
    case $name in folder) home=$work/killed-folder/home ;; *) home=$name://acme/killed ;; esac
    begin "killed-$name" "$home"
    killed=0
    while :; do
        # shellcheck disable=SC2086
        "$ferry" run "$chain" $common --json > "killed-$name.json" 2> "killed-$name.log" & run=$!
        if [ "$killed" -lt "$kills" ]; then
            # Each a little later than the one before, so that every stage has its turn.
            sleep "$(echo "0.3 + $killed * 0.35" | bc)"
            kill -9 "$run" 2> /dev/null || true
            code=0
            wait "$run" 2> /dev/null || code=$?
            # One that had ended was not killed; it has nothing left to do.
            [ "$code" = 137 ] || break
            killed=$((killed + 1))
            continue
        fi
        code=0
        wait "$run" || code=$?
        [ "$code" -le 1 ] || { cat "killed-$name.log"; exit 1; }
        break
    done
    [ "$killed" -ge 2 ] || { echo "killed-$name: only $killed kills found a run; give more rows"; exit 1; }
    echo "killed-$name: killed $killed times"
    end "killed-$name"
done
echo "the same records from all"
