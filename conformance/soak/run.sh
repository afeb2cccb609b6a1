#!/usr/bin/env bash
# Runs the scripts of this folder one after the other; with --short in seconds instead of minutes.
#   conformance/soak/run.sh GAVEL GAVEL-LOAD [--short]
set -uo pipefail
cd "$(dirname "$0")"
gavel="$(realpath "$1")"
load="$(realpath "$2")"
failed=0
for script in drain reload hostile faults scrape steady; do
  printf '\n== %s\n' "$script"
  python3 "$script.py" "$gavel" "$load" "${@:3}" || { failed=1; echo "FAILED: $script"; }
done
exit "$failed"
