#!/usr/bin/env bash
# Gets the peers that are programs of their own into target/peers: OPA, built from its Go module, and Cerbos, from npm.
# One that cannot be had is named, and `report` leaves it out.
set -uo pipefail
cd "$(dirname "$0")/../.."
mkdir -p target/peers

if command -v go >/dev/null; then
  (cd benches/peers/opa && go build -trimpath -ldflags '-s -w' -o ../../../target/peers/opa .) ||
    echo "OPA could not be built"
else
  echo "OPA needs Go (https://go.dev)"
fi

if command -v npm >/dev/null; then
  (npm install --silent --no-audit --no-fund --prefix target/peers/npm @cerbos/cerbos-linux-x64@0.55.0 &&
    cp target/peers/npm/node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64 target/peers/cerbos) ||
    echo "Cerbos could not be had from npm"
else
  echo "Cerbos needs npm"
fi
ls -l target/peers
