#!/bin/sh
# Runs every fuzz target for a time: run.sh SECONDS [SEED]. With cargo-fuzz and a nightly toolchain libFuzzer makes the
# inputs, otherwise our own driver does, on any toolchain. Exit status 1 when something was found; findings stand in
# conformance/fuzz/findings (or artifacts), see `gavel-fuzz replay`.
set -u
seconds=${1:?usage: run.sh SECONDS [SEED]}
seed=${2:-$(date +%s)}
cd "$(dirname "$0")/../.." || exit 2
targets="front_end programs bytecode porc domain"
status=0

if cargo +nightly fuzz --version >/dev/null 2>&1; then
    for target in $targets; do
        cargo +nightly fuzz run --fuzz-dir conformance/fuzz "$target" -- \
            -max_total_time="$seconds" -seed="$((seed % 2147483647))" -max_len=32768 -timeout=60 || status=1
    done
    exit $status
fi

echo "no cargo-fuzz with a nightly toolchain: inputs come from our own driver"
cargo build --quiet --profile quick -p gavel-conformance --bin gavel-fuzz || exit 2
findings=conformance/fuzz/findings
for target in $targets; do
    if ! target/quick/gavel-fuzz "$target" "$seconds" "$seed" "$findings"; then
        status=1
        # The input that ended the process, if one did.
        if [ -e "$findings/$target.last" ]; then
            mv "$findings/$target.last" "$findings/$target-$seed-ended.bytes"
            echo "$target: the process ended at $findings/$target-$seed-ended.bytes"
        fi
    fi
done
exit $status
