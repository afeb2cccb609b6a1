#!/usr/bin/env bash
# Builds the container image for each architecture asked for, with buildah and without an engine: FROM scratch, one static binary.
#   deploy/image/build.sh [amd64] [arm64]        default: amd64
# Result: target/oci, an OCI layout with one index `gavel:VERSION`, and beside it target/oci.index.digest and target/oci.ARCH.digest.
# The same sources and tools give the same bytes: times are those of the last commit, paths are not in the binary. Which compiler
# made it (for amd64 the one that rust-toolchain.toml means on this machine) says the label `rustc` of the image.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ $# -gt 0 ] || set -- amd64
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}"
export SOURCE_DATE_EPOCH
command -v buildah >/dev/null || { echo "needs buildah (Debian: apt-get install buildah)" >&2; exit 2; }
version="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)"
layout="target/oci"
index="gavel-$$"
work="$(mktemp -d)"
# Nothing of ours stays in buildah's store.
tidy() {
  buildah manifest rm "$index" >/dev/null 2>&1 || true
  for id in "$work"/*.id; do buildah rmi "$(cat "$id")" >/dev/null 2>&1 || true; done
  rm -rf "$work"
}
trap tidy EXIT

buildah manifest create "$index" >/dev/null
for arch in "$@"; do
  binary="$(deploy/image/binary.sh "$arch")"
  rustc=rustc
  [ "$arch" = amd64 ] || rustc="target/$arch-toolchain/rustc"
  mkdir "$work/$arch"
  install -m 0755 "$binary" "$work/$arch/gavel"
  cp deploy/image/Containerfile "$work/$arch/Containerfile"
  buildah bud --quiet --arch "$arch" --timestamp "$SOURCE_DATE_EPOCH" --layers=false \
    --build-arg "VERSION=$version" --build-arg "TOOLCHAIN=$("$rustc" --version)" \
    --manifest "$index" -f "$work/$arch/Containerfile" "$work/$arch" >"$work/$arch.id"
done
rm -rf "$layout" "$layout".*.digest
buildah manifest push --all --digestfile "$layout.index.digest" "$index" "oci:$layout:gavel:$version" 2>"$work/push.log" ||
  { cat "$work/push.log" >&2; exit 1; }
digest="$(cat "$layout.index.digest")"
for arch in "$@"; do
  sed -n "s/.*\"digest\":\"\(sha256:[0-9a-f]*\)\",\"size\":[0-9]*,\"platform\":{\"architecture\":\"$arch\".*/\1/p" \
    "$layout/blobs/sha256/${digest#sha256:}" >"$layout.$arch.digest"
  echo "$arch: $(stat -c %s "$work/$arch/gavel") bytes, $(cat "$layout.$arch.digest")"
done
echo "$layout: gavel:$version ($*), $digest"
