#!/bin/sh
# Runs every fuzz target for a time: run.sh SECONDS [SEED]. Exit status 1 when something was found; findings stand in
# conformance/fuzz/findings, see `gavel-fuzz replay`. Inputs come from our own driver: libFuzzer's crate has a licence
# that the project does not take.
set -u
seconds=${1:?usage: run.sh SECONDS [SEED]}
seed=${2:-$(date +%s)}
cd "$(dirname "$0")/../.." || exit 2
status=0

cargo build --quiet --profile quick -p gavel-conformance --bin gavel-fuzz || exit 2
findings=conformance/fuzz/findings
for target in front_end programs bytecode porc domain; do
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
