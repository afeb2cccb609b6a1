#!/usr/bin/env bash
# Runs unit tests of the runtime under Miri, which finds undefined behaviour in what the unsafe files do: the arena, values, the
# machine's loop. With `extra-checks`, so that what is proved before is looked at once more as well.
#
#   conformance/miri.sh            the modules that Miri can do in a few minutes
#   conformance/miri.sh FILTER…    only tests whose names hold one of these
#
# Needs a nightly toolchain with Miri: rustup toolchain install nightly --component miri,rust-src
set -euo pipefail
cd "$(dirname "$0")/.."

# The newest one that has Miri; GAVEL_NIGHTLY names another one.
nightly="${GAVEL_NIGHTLY:-}"
if [ -z "$nightly" ] && command -v rustup >/dev/null; then
  for toolchain in $(rustup toolchain list | cut -d' ' -f1 | grep '^nightly' || true); do
    if rustup component list --installed --toolchain "$toolchain" 2>/dev/null | grep -q '^miri'; then
      nightly="$toolchain"
    fi
  done
fi
if [ -z "$nightly" ]; then
  echo "skipped: Miri (no nightly toolchain has it)"
  exit 0
fi

filters=("$@")
if [ ${#filters[@]} -eq 0 ]; then
  filters=(arena:: value:: vm:: json:: input:: bytecode::)
fi
# Tests of large values and long runs, many minutes each, over code that others reach too.
skips=()
skip() {
  echo "skipped: $1 under Miri ($2)"
  skips+=(--skip "$1")
}
skip budgets_end_calls_and_leave_the_request_usable "runs until a budget of 100,000 steps is used up"
skip deep_values_compare_on_a_small_stack "three values of 100,000 levels"
skip values_that_share_their_parts_compare_in_the_time_of_the_parts "60 levels of 100 shared parts each"
skip large_tables_find_what_is_in_them_and_nothing_else "a table of 5,000 texts"
skip depth_and_memory_are_bounded "assembles 300 functions, and fills an arena of a mebibyte"
skip input::tests::nesting "documents of 10,000 levels"
skip nesting_has_a_limit_and_needs_no_stack "documents of 10,000 levels"
skip both_ways_agree_on_damaged_documents "5,000 documents, read six times each"
skip both_ways_agree_on_random_documents "12,000 documents, read six times each"

# Paths of other toolchains' build folders are kept apart; files and clocks that tests read are outside of Miri's machine.
export MIRIFLAGS="${MIRIFLAGS:--Zmiri-disable-isolation}"
RUSTUP_TOOLCHAIN="$nightly" cargo miri test --target-dir target/miri -p gavel-runtime --features extra-checks --lib -- \
  "${filters[@]}" "${skips[@]}"
