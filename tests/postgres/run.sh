#!/bin/sh
# The state in PostgreSQL: a server of its own, the tests of both kinds of state, then two daemons that are killed at random moments.
# Usage: tests/postgres/run.sh [KILLS [SEED]]; 200 kills take some twenty minutes, 0 leaves them out.
set -eu
cd "$(dirname "$0")/../.."
kills=${1:-200}
seed=${2:-1}
tests/postgres/server.sh cargo test -- states::
if [ "$kills" -gt 0 ]; then
    FERRY_KILLS=$kills FERRY_SEED=$seed tests/postgres/server.sh cargo test -- --ignored --nocapture --exact \
        states::two_daemons::two_daemons_that_are_killed_lose_nothing_and_do_nothing_twice
fi
