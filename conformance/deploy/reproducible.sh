#!/usr/bin/env bash
# Builds the images twice, the second time from a copy of the sources in another folder, and compares their digests.
#   conformance/deploy/reproducible.sh [amd64] [arm64]        default: amd64
# Both are made with the same compiler, the one of this machine: another version makes other bytes, and rust-toolchain.toml names
# a channel and no version. Whoever builds an image for amd64 again to compare it takes the version that
# its label `rustc` names, as in
#   RUSTUP_TOOLCHAIN=1.95.0 deploy/image/build.sh amd64
# Takes two builds with link-time optimisation for each architecture, so it is no part of .ci/run.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- amd64
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
export SOURCE_DATE_EPOCH

other="$(mktemp -d)/elsewhere"
trap 'rm -rf "$(dirname "$other")"' EXIT
mkdir -p "$other/target"
git ls-files -z | xargs -0 cp --parents --target-directory "$other"

deploy/image/build.sh "$@"
# The compiler for arm64 is fetched once; it is not what is compared.
if [ -d target/arm64-toolchain ]; then ln -s "$PWD/target/arm64-toolchain" "$other/target/arm64-toolchain"; fi
(cd "$other" && deploy/image/build.sh "$@")
for digest in target/oci.*.digest; do
  cmp "$digest" "$other/$digest" || { echo "$digest: another one elsewhere" >&2; exit 1; }
  echo "$digest: $(cat "$digest"), twice"
done
