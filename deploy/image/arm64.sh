#!/usr/bin/env bash
# Puts a compiler for arm64 into target/arm64-toolchain, unless it is there: Debian's `rustc-web` with its standard library for
# arm64, unpacked beside the machine's own toolchain, with which it would conflict if it were installed. The cross linker is
# an ordinary package.
set -euo pipefail
cd "$(dirname "$0")/../.."
place="$PWD/target/arm64-toolchain"
if [ -x "$place/rustc" ] && "$place/rustc" --version >/dev/null 2>&1 && command -v aarch64-linux-gnu-gcc-12 >/dev/null; then
  exit 0
fi
command -v aarch64-linux-gnu-gcc-12 >/dev/null ||
  apt-get install -y --no-install-recommends gcc-12-aarch64-linux-gnu libc6-dev-arm64-cross

rm -rf "$place"
mkdir -p "$place"/{lists/partial,cache/archives/partial,debs,tree}
# A view of the archive that knows both architectures, without telling the machine's package database.
apt=(apt-get -qq -o "Dir::State::lists=$place/lists" -o "Dir::Cache=$place/cache"
  -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=root)
"${apt[@]}" update
std="$(apt-cache -o "Dir::State::lists=$place/lists" -o "Dir::Cache=$place/cache" depends libstd-rust-web-dev |
  sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p' | head -n 1)"
(cd "$place/debs" && "${apt[@]}" download rustc-web "$std:amd64" libstd-rust-web-dev:amd64 libstd-rust-web-dev:arm64)
llvm="$(dpkg-deb -f "$place"/debs/libstd-rust-web-[0-9]*.deb Depends | grep -o 'libllvm[0-9]*' | head -n 1)"
(cd "$place/debs" && "${apt[@]}" download "$llvm:amd64")
for package in "$place"/debs/*.deb; do dpkg -x "$package" "$place/tree"; done
rm -rf "$place"/{lists,cache,debs}
cat >"$place/rustc" <<EOF
#!/bin/sh
LD_LIBRARY_PATH="$place/tree/usr/lib/x86_64-linux-gnu" exec "$place/tree/usr/bin/rustc" "\$@"
EOF
chmod +x "$place/rustc"
"$place/rustc" --version
