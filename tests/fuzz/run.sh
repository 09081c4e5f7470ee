#!/usr/bin/env bash
# Fuzzes the language for some seconds: tests/fuzz/run.sh 1800
# The corpus grows in tests/fuzz/target/corpus and begins with the scripts of the repository. What crashes lies in
# tests/fuzz/target/crashes; it becomes a case in tests/cases/lang before it is mended.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-1800}
mkdir -p target/corpus target/crashes
# The parser's macro looks for its grammar beside this package's manifest.
ln -sfn ../../grammar grammar
find ../../jobs ../cases -name '*.ferry*' | while read -r file; do
  sed '/^--- expected$/,$d' "$file" > "target/corpus/seed-$(basename "$file")"
done

# Coverage counters from the compiler; libFuzzer brings the rest.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --target "$host"
"target/$host/release/language" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
  -dict=words.dict -artifact_prefix=target/crashes/ -print_final_stats=1 target/corpus
