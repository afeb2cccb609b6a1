#!/usr/bin/env bash
# The golden CheckRequests of the reference, sent to a gavel by a gRPC client in a virtual environment below target/.
# Usage: goldens.sh PATH_OF_GAVEL PATH_OF_RUNNER. Ends with 0 and a reason where the runner or the registry is not there.
set -euo pipefail
gavel="$(realpath "$1")"
runner="$2"
if ! [ -f "$runner" ]; then
  echo "skipped: golden answers to Envoy ($runner is not there)"
  exit 0
fi
runner="$(realpath "$runner")"
cd "$(dirname "$0")/../.."

venv="target/grpc-venv"
if ! "$venv/bin/python" -c "import grpc, envoy" 2>/dev/null; then
  python3 -m venv "$venv"
  if ! "$venv/bin/pip" install --quiet --disable-pip-version-check grpcio xds-protos 2>"$venv/pip.log"; then
    if grep -qiE "connection|timed out|resolve|unreachable|proxy" "$venv/pip.log"; then
      echo "skipped: golden answers to Envoy (the package registry cannot be reached)"
      exit 0
    fi
    cat "$venv/pip.log" >&2
    exit 1
  fi
fi
exec "$venv/bin/python" "$runner" --bin "$gavel"
