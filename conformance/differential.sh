#!/bin/sh
# Compares gavel with OPA on programs from fresh seeds: differential.sh [COUNT [SEED [CHUNK]]].
#
# Two generators make programs: OPA's side has one (oracle-go's `gen`), and the fuzz target `programs` has one (`gavel-fuzz
# emit`, answered by oracle-go's `oracle`). The VM answers with the optimiser on and off, then the reference evaluator.
# Programs with differences are kept in conformance/fuzz/findings/differential. Exit status 1 when there are any.
# ORACLE names the folder of oracle-go (default ../shared/oracle-go beside the checkout); without it or without Go nothing
# is compared, and the script says so.
set -u
count=${1:-1000}
seed=${2:-$(($(date +%s) * 1000))}
chunk=${3:-1000}
cd "$(dirname "$0")/.." || exit 2
oracle=${ORACLE:-../shared/oracle-go}

if ! command -v go >/dev/null 2>&1; then
    echo "skipped: no Go toolchain to build the oracle with"
    exit 0
fi
if [ ! -f "$oracle/go.mod" ]; then
    echo "skipped: no oracle at $oracle"
    exit 0
fi

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
(cd "$oracle" && go build -o "$work/" ./cmd/...) || exit 2
cargo build --quiet --profile quick -p gavel-conformance || exit 2
runner=target/quick/gavel-conformance
keep=conformance/fuzz/findings/differential
compared=0
differing=0

# Runs the three engines over a file of answered cases; keeps the file and what differs.
compare() {
    file=$1
    name=$2
    for engine in "" --no-optimise --reference; do
        # shellcheck disable=SC2086 # no engine flag means no argument
        timeout 600 "$runner" opa $engine "$file" >"$work/report"
        status=$?
        # What was skipped was not compared.
        passed=$(sed -n 's/^\([0-9]*\) passed, .*/\1/p' "$work/report" | tail -n 1)
        [ -z "$engine" ] && compared=$((compared + ${passed:-0}))
        if [ "$status" -ne 0 ]; then
            mkdir -p "$keep"
            cp "$file" "$keep/$name.jsonl"
            { echo "engine: ${engine:-optimised}"; cat "$work/report"; } >>"$keep/$name.txt"
            failed=$(sed -n 's/.* passed, \([0-9]*\) failed.*/\1/p' "$work/report")
            differing=$((differing + ${failed:-1}))
            echo "$name ${engine:-optimised}: $(tail -n 1 "$work/report")"
        fi
    done
}

# Answers cases by OPA. A case that OPA cannot answer ends the oracle, so they go in small pieces.
answer() {
    rm -f "$work"/piece.*
    split -l 50 "$1" "$work/piece."
    for piece in "$work"/piece.*; do
        # A line that the oracle's end cut off is no answer.
        "$work/oracle" <"$piece" 2>/dev/null | grep '}$'
    done
}

half=$((chunk / 2))
done_so_far=0
while [ "$done_so_far" -lt "$count" ]; do
    # Some seeds give no case; the next chunk begins behind them.
    at=$((seed + done_so_far * 2))
    "$work/gen" -from "$at" -n "$half" -file "$work/gen.jsonl" 2>/dev/null || exit 2
    compare "$work/gen.jsonl" "gen-$at"
    target/quick/gavel-fuzz emit "$at" "$half" >"$work/asked.jsonl" || exit 2
    answer "$work/asked.jsonl" >"$work/emit.jsonl"
    compare "$work/emit.jsonl" "emit-$at"
    done_so_far=$((done_so_far + chunk))
done
asked=$done_so_far
echo "$compared of $asked programs compared with OPA in three ways, $differing differences"
# Programs that OPA cannot answer are few; a run that compared little says nothing.
[ "$differing" -eq 0 ] && [ $((compared * 10)) -ge $((asked * 7)) ]
