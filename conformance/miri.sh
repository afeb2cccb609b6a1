#!/usr/bin/env bash
# Runs unit tests of the runtime under Miri, which finds undefined behaviour in what the unsafe files do: the arena, values, the
# machine's loop. With `extra-checks`, so that what is proved before is looked at once more as well.
#
#   conformance/miri.sh            the modules that the unsafe files serve; repeats are fewer (`repeated`), what is left out
#                                  all the same says why (`ignore`)
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

# Paths of other toolchains' build folders are kept apart; files and clocks that tests read are outside of Miri's machine.
export MIRIFLAGS="${MIRIFLAGS:--Zmiri-disable-isolation}"
RUSTUP_TOOLCHAIN="$nightly" cargo miri test --target-dir target/miri -p gavel-runtime --features extra-checks --lib -- \
  "${filters[@]}"
