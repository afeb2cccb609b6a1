#!/usr/bin/env bash
# Runs the scripts of this folder one after the other, all of them or those that are named; with --short in seconds instead of
# minutes. Ends with 1 if anything did not hold.
#   conformance/soak/run.sh GAVEL GAVEL-LOAD [--short] [NAME...]
set -uo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,4s/^# *//p' "$0"
  exit 2
fi
gavel="$(realpath "$1")"
load="$(realpath "$2")"
cd "$(dirname "$0")"
shift 2
words=()
names=()
for word in "$@"; do
  case "$word" in
    --short) words+=("$word") ;;
    -*) echo "$word: only --short is passed on; the scripts have --help" >&2; exit 2 ;;
    *) names+=("${word%.py}") ;;
  esac
done
[ ${#names[@]} -gt 0 ] || names=(drain reload smuggle hostile crowd faults scrape browser steady)
failed=0
for name in "${names[@]}"; do
  printf '\n== %s\n' "$name"
  began=$SECONDS
  python3 "$name.py" "$gavel" "$load" ${words[@]+"${words[@]}"} || { failed=1; echo "FAILED: $name"; }
  echo "$name took $((SECONDS - began)) s"
done
exit "$failed"
