#!/bin/sh
# Plans the out-of-the-box chain and a large job on a Ballista cluster (one scheduler, two executors, on loopback) and in one process, and wants
# the same bytes; kills an executor in the middle of a plan, and takes the cluster away. Outside of the test binary, as what counts is the program
# as its user has it, and millions of rows. The program has to be built with `--features cluster`.
# Usage: tests/cluster/run.sh FERRY [ROWS of the large job] [CONTACTS of the chain]
set -eu
ferry=$(realpath "$1") rows=${2:-200000} contacts=${3:-2000}
# The companies that the large job looks for, of which one row in twenty finds none.
companies=$((rows / 25 + 100))
work=$(mktemp -d)
ended() {
    for pid in "$work"/*.pid; do kill -9 "$(cat "$pid")" 2> /dev/null || true; done
    rm -rf "$work"
}
trap ended EXIT
cd "$work"
begin() { # NAME COMMAND…: a process of its own, with what it says in NAME.log
    name=$1
    shift
    "$@" > "$name.log" 2>&1 & echo $! > "$name.pid"
}
until_said() { # NAME WORDS: waits for a process to say so
    for _ in $(seq 600); do grep -q "$2" "$1.log" 2> /dev/null && return; sleep 0.1; done
    cat "$1.log"
    exit 1
}

awk -v n="$companies" 'BEGIN { for (i = 0; i < n; i++) printf "{\"Gsid\":\"1P02%032d\",\"Name\":\"Company %d\",\"External_Account_ID_gainsight123__gc\":\"a%d\",\"Dynamics_Account_ID__gc\":\"a%d\"}\n", i, i, i, i }' > companies.jsonl
mkdir -p large/gainsight lake
for name in systemusers accounts contacts; do : > "large/$name.jsonl"; done
mv companies.jsonl large/gainsight/company.jsonl
# One row in a thousand has the key of another, one in fifty is filtered.
awk -v n="$rows" -v c="$companies" 'BEGIN {
    print "id,name,account,kind"
    for (i = 1; i <= n; i++) printf "row-%d,Row %d of %s,a%d,%s\n", (i % 1000 == 7 ? i - 1 : i), i, (i % 3 ? "many" : "  few  "), (i * 7919) % int(c * 1.05), (i % 50 ? "live" : "old")
}' > lake/row.csv
begin chain "$ferry" sandbox --rows "$contacts" --limits-scale 1000 --write-project project-chain
begin large "$ferry" sandbox --world large --limits-scale 20000 --write-project project-large
until_said chain Serving
until_said large Serving
cat > project-large/lake.ferry <<Q
CREATE CONNECTION lake TO FILES URL 'file://$work/lake' FORMAT CSV;
CREATE JOB "Large" AS UPSERT INTO gainsight."Opportunity__gc" KEY ("Opportunity External Id")
SELECT r.id AS "Opportunity External Id", TRIM(r.name) || ' (' || UPPER(r.kind) || ')' AS "Name", co."GSID" AS "Company", 'EUR' AS "Currency"
FROM lake.row AS r
LOOKUP gainsight.Company AS co ON co."Dynamics Account ID" = r.account
  WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT
WHERE r.kind = 'live';
Q

begin scheduler "$ferry" cluster scheduler --listen 127.0.0.1:0
until_said scheduler 'http://'
cluster=$(sed -n 's/^Scheduler *//p' scheduler.log)
executor() { begin "executor-$1" "$ferry" cluster executor --scheduler "$cluster" --memory-mb 1024 --work "$work/work-$1"; }
executor 1
executor 2

plan() { # WORLD NAME-OF-WHAT HOW…: plans it in a home of its own
    world=$1 what=$2
    shift 2
    (
        set -a; . "./project-$world/secrets.env"; set +a
        job=Large; scale=20000
        [ "$world" = large ] || { job='Dynamics_Company Person Sync'; scale=1000; }
        exec "$ferry" plan "$job" --project "project-$world" --home "home-$what" --clock-scale "$scale" --out "plan-$what" "$@"
    ) > "$what.log" 2>&1
}
planned() { # the same, which has to come to its end; says what it took
    since=$(date +%s)
    code=0; plan "$@" || code=$?
    [ "$code" -le 1 ] || { cat "$2.log"; exit 1; }
    echo "$2: $(($(date +%s) - since)) s"
}
same() { # ONE OTHER: every byte of what they would load, and of what they show
    one=$(cd "plan-$1"; find . -name '*.parquet' -exec sha256sum {} + | sort)
    other=$(cd "plan-$2"; find . -name '*.parquet' -exec sha256sum {} + | sort)
    [ "$one" = "$other" ] || { echo "$2 is another plan than $1"; exit 1; }
    loaded=$(cd "home-$1/runs"; find . -path '*/changes/*' -type f -exec sha256sum {} + | sort)
    [ "$loaded" = "$(cd "home-$2/runs"; find . -path '*/changes/*' -type f -exec sha256sum {} + | sort)" ] || { echo "$2 would load something else than $1"; exit 1; }
    echo "$2: the same as $1, $(find "plan-$1" -name '*.parquet' -print0 | du -cb --files0-from=- | tail -1 | cut -f1) bytes shown, $(find "home-$1/runs" -path '*/changes/*' -type f -print0 | du -cb --files0-from=- | tail -1 | cut -f1) bytes to be loaded"
}

planned chain chain-here
planned chain chain-there --cluster "$cluster"
same chain-here chain-there
planned large large-here
planned large large-there --cluster "$cluster"
same large-here large-there

# An executor dies as soon as it has rows of the plan.
plan large large-killed --cluster "$cluster" & pid=$!
rm -rf seen; mkdir seen
until [ -n "$(find work-1 -type f -newer seen -size +0 2> /dev/null | head -1)" ]; do
    kill -0 "$pid" 2> /dev/null || { echo "the plan ended before an executor could be killed: more rows are wanted"; exit 1; }
    sleep 0.1
done
kill -9 "$(cat executor-1.pid)"
since=$(date +%s)
code=0; wait "$pid" || code=$?
after=$(($(date +%s) - since))
if [ "$code" -le 1 ]; then
    echo "large-killed: ended $after s after an executor was killed"
    same large-here large-killed
elif [ "$after" -le 120 ] && grep -q 'nothing was written' large-killed.log; then
    echo "large-killed: a clear error $after s after an executor was killed: $(grep '^error' large-killed.log)"
else
    echo "large-killed: exit $code after $after s"; cat large-killed.log; exit 1
fi

# Nobody is left to do the work, then the scheduler is gone too.
kill -9 "$(cat executor-2.pid)"
since=$(date +%s)
code=0; plan chain chain-nobody --cluster "$cluster" || code=$?
after=$(($(date +%s) - since))
[ "$code" = 3 ] && [ "$after" -le 120 ] || { echo "chain-nobody: exit $code after $after s"; cat chain-nobody.log; exit 1; }
echo "chain-nobody: after $after s, $(grep '^error' chain-nobody.log)"
kill -9 "$(cat scheduler.pid)"
code=0; plan chain chain-away --cluster "$cluster" || code=$?
[ "$code" = 3 ] && grep -q 'cannot be reached' chain-away.log || { cat chain-away.log; exit 1; }
echo "chain-away: $(grep '^error' chain-away.log)"
planned chain chain-locally --cluster "$cluster" --or-locally
grep -q 'planned on this machine' chain-locally.log || { cat chain-locally.log; exit 1; }
same chain-here chain-locally
