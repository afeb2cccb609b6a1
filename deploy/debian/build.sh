#!/usr/bin/env bash
# Makes target/debian/gavel_VERSION_ARCH.deb: the static binary, the unit, completions, and a configuration that denies everything.
#   deploy/debian/build.sh [amd64|arm64]
set -euo pipefail
cd "$(dirname "$0")/../.."
arch="${1:-amd64}"
version="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)"
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}"
export SOURCE_DATE_EPOCH
binary="$(deploy/image/binary.sh "$arch")"
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
chmod 0755 "$tree"

install -D -m 0755 "$binary" "$tree/usr/bin/gavel"
install -D -m 0644 deploy/systemd/gavel.service "$tree/lib/systemd/system/gavel.service"
install -D -m 0644 deploy/k8s/base/domain.yml "$tree/etc/gavel/domain.yml"
install -D -m 0644 LICENSE "$tree/usr/share/doc/gavel/copyright"
mkdir -p "$tree/usr/share/doc/gavel"
gzip -9n <CHANGELOG.md >"$tree/usr/share/doc/gavel/changelog.gz"
chmod 0644 "$tree/usr/share/doc/gavel/changelog.gz"
if [ "$arch" = "$(dpkg --print-architecture)" ]; then
  mkdir -p "$tree/usr/share/bash-completion/completions" "$tree/usr/share/zsh/vendor-completions"
  "$binary" completion bash >"$tree/usr/share/bash-completion/completions/gavel"
  "$binary" completion zsh >"$tree/usr/share/zsh/vendor-completions/_gavel"
  chmod -R u=rwX,go=rX "$tree/usr/share"
fi

mkdir "$tree/DEBIAN"
install -m 0644 deploy/debian/control "$tree/DEBIAN/control"
sed -i "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$(du -sk "$tree" | cut -f1)/" "$tree/DEBIAN/control"
echo /etc/gavel/domain.yml >"$tree/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 0755 "deploy/debian/$script" "$tree/DEBIAN/$script"; done
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p target/debian
dpkg-deb --root-owner-group -Zxz --build "$tree" "target/debian/gavel_${version}_${arch}.deb"
