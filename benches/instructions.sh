#!/usr/bin/env bash
# Counts the instructions of one warm decision of each domain, and of the line of some access records, and compares them with
# benches/instructions.txt.
#
#   benches/instructions.sh           fails when a count differs by more than 3 % from the one that is written down
#   benches/instructions.sh --bless   writes today's counts down
#
# Only the functions `decided` and `rendered` of `gavel-repeat` count, and a count is the difference between a process that decides often and
# one that decides seldom, so that what only the first decisions do cancels out. It depends on the profile (`quick`, built here unless
# GAVEL_REPEAT names a program), on the compiler and on what valgrind lets the processor do; on other machines than the one of
# the file nothing is compared.
set -euo pipefail
cd "$(dirname "$0")/.."

file=benches/instructions.txt
seldom=20
often=220
tolerance_percent=3
bless=""
case "${1:-}" in
  "") ;;
  --bless) bless=yes ;;
  *) echo "usage: benches/instructions.sh [--bless]" >&2; exit 2 ;;
esac

if ! command -v valgrind >/dev/null; then
  echo "skipped: instruction counts (valgrind is not there)"
  exit 0
fi

program="${GAVEL_REPEAT:-}"
if [ -z "$program" ]; then
  # As CI builds it: code that is compiled in pieces which are used again counts some 2 % more.
  CARGO_INCREMENTAL=0 cargo build --profile quick -q -p gavel-conformance
  program=target/quick/gavel-repeat
fi

# What a count depends on besides our code. memchr and aho-corasick choose their code by what the processor can do.
vectors() { if grep -q '\bavx2\b' /proc/cpuinfo; then echo avx2; else echo none; fi; }
machine="$(uname -m), vectors $(vectors), $(rustc --version | cut -d' ' -f1,2)"

# Comparing bytes takes other ways at the end of a page, so places in memory should not change from run to run.
fixed=()
if setarch "$(uname -m)" -R true 2>/dev/null; then fixed=(setarch "$(uname -m)" -R); fi

image="$(mktemp)"
trap 'rm -f "$image"' EXIT

# Instructions of a process that does $1 (`decide`, `line`) with the request $2 $3 times.
collected() {
  local counts=decided
  if [ "$1" = line ]; then counts=rendered; fi
  "${fixed[@]}" valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect="gavel_repeat::$counts*" \
    "$program" "$1" "$image" "$2" "$3" 2>&1 >/dev/null |
    sed -n 's/.*Collected *: *\([0-9][0-9]*\).*/\1/p'
}

# Instructions of one decision of the request $1, which is its path without the ending, or with `:line` behind it of the line of
# its record.
counted() {
  local folder request does few many
  request="${1%:line}"
  does=decide
  if [ "$request" != "$1" ]; then does=line; fi
  folder="$(dirname "$request")"
  "$program" compile "$folder/$(basename "$folder").yml" "$image" || return 1
  few="$(collected "$does" "$request.json" "$seldom")"
  many="$(collected "$does" "$request.json" "$often")"
  if [ -z "$few" ] || [ -z "$many" ] || [ "$many" -le "$few" ]; then
    echo "$1: valgrind counted nothing of $program" >&2
    return 1
  fi
  echo $(((many - few) / (often - seldom)))
}

requests="$(grep -v '^#' "$file" | cut -d' ' -f1)"

if [ -n "$bless" ]; then
  new="$(mktemp)"
  {
    grep '^#' "$file" | grep -v '^# on: '
    echo "# on: $machine"
    for request in $requests; do
      count="$(counted "$request")"
      echo "$request $count"
    done
  } >"$new"
  cat "$new" >"$file"
  rm "$new"
  cat "$file"
  exit 0
fi

if ! grep -qx "# on: $machine" "$file"; then
  echo "skipped: instruction counts (this is $machine; $(grep '^# on: ' "$file" | cut -c3-))"
  exit 0
fi

failed=""
for request in $requests; do
  written="$(sed -n "s|^$request ||p" "$file")"
  count="$(counted "$request")"
  change="$(awk -v was="$written" -v is="$count" 'BEGIN { printf "%+.1f", (is / was - 1) * 100 }')"
  echo "$request: $count instructions, $change %"
  if awk -v change="$change" -v most="$tolerance_percent" 'BEGIN { exit !(change > most || change < -most) }'; then
    failed=yes
  fi
done
if [ -n "$failed" ]; then
  echo "a count differs by more than $tolerance_percent % from $file: where it grew, find out why; where it shrank or has a" >&2
  echo "reason to grow, benches/instructions.sh --bless writes the new counts down" >&2
  exit 1
fi
