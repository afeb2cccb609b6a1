#!/usr/bin/env bash
# Builds the static binary of one architecture and prints its path.
#   deploy/image/binary.sh amd64|arm64
# amd64 is built with the toolchain of the checkout. For arm64 Debian's cross compiler and the standard library of Debian's
# `rustc-web` are fetched and unpacked into target/arm64-toolchain; nothing of it is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
root="$PWD"
# Paths of the machine neither in the binary nor in its hash.
cargo_home="${CARGO_HOME:-$HOME/.cargo}"
remap="--remap-path-prefix=$root=/gavel --remap-path-prefix=$cargo_home=/cargo"
# Equal functions once, and the relocations of a position-independent binary in a twentieth of their room.
link="-C link-arg=-Wl,--icf=all -C link-arg=-Wl,--pack-dyn-relocs=relr"

case "${1:?which architecture: amd64 or arm64}" in
  amd64)
    target=x86_64-unknown-linux-gnu
    export RUSTFLAGS="-C target-feature=+crt-static $link $remap"
    ;;
  arm64)
    target=aarch64-unknown-linux-gnu
    deploy/image/arm64.sh >&2
    toolchain="$root/target/arm64-toolchain"
    export RUSTC="$toolchain/rustc"
    # LLVM's linker, which comes with the toolchain of the checkout, as for amd64.
    lld="$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld"
    link="$link -C link-arg=-B$lld -C link-arg=-fuse-ld=lld"
    # What build scripts and macros link with stays the machine's own.
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc-12
    export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc-12
    export AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar
    export RUSTFLAGS="-C target-feature=+crt-static $link $remap"
    ;;
  *)
    echo "no such architecture: $1 (amd64 or arm64)" >&2
    exit 2
    ;;
esac
cargo build --locked --quiet --profile image -p gavel-server --target "$target" >&2
echo "target/$target/image/gavel"
