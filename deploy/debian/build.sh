#!/usr/bin/env bash
# Makes target/debian/gavel_VERSION_ARCH.deb: the static binary, the unit, completions, and a configuration that denies everything.
#   deploy/debian/build.sh [amd64|arm64]
set -euo pipefail
cd "$(dirname "$0")/../.."
arch="${1:-amd64}"
# The last part is the package's own: its number among packages of one version.
version="$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-1"
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}"
export SOURCE_DATE_EPOCH
binary="$(deploy/image/binary.sh "$arch")"
tree="$(mktemp -d)"
trap 'rm -rf "$tree"' EXIT
chmod 0755 "$tree"

install -D -m 0755 "$binary" "$tree/usr/bin/gavel"
install -D -m 0644 deploy/systemd/gavel.service "$tree/usr/lib/systemd/system/gavel.service"
install -D -m 0644 deploy/k8s/base/domain.yml "$tree/etc/gavel/domain.yml"
install -D -m 0644 deploy/debian/lintian-overrides "$tree/usr/share/lintian/overrides/gavel"

documents="$tree/usr/share/doc/gavel"
mkdir -p "$documents"
# The crates that the binary is made of, with their licences; ours have a path behind their name.
target="$(basename "${binary%/image/gavel}")"
cargo tree --locked --offline -p gavel-server --target "$target" --edges normal,no-proc-macro --prefix none --format '{p}, {l}' |
  grep -v '(/' | sed 's/ (\*)$//' | LC_ALL=C sort -u | sed 's/^/  /' >"$documents/crates"
sed -e "/@CRATES@/r $documents/crates" -e '/@CRATES@/d' deploy/debian/copyright >"$documents/copyright"
rm "$documents/crates"
gzip -9n <CHANGELOG.md >"$documents/changelog.gz"
printf 'gavel (%s) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n' "$version" \
  "$(sed -n 's/^Maintainer: //p' deploy/debian/control)" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" |
  gzip -9n >"$documents/changelog.Debian.gz"

if [ "$arch" = "$(dpkg --print-architecture)" ]; then
  mkdir -p "$tree/usr/share/bash-completion/completions" "$tree/usr/share/zsh/vendor-completions"
  "$binary" completion bash >"$tree/usr/share/bash-completion/completions/gavel"
  "$binary" completion zsh >"$tree/usr/share/zsh/vendor-completions/_gavel"
fi
chmod -R u=rwX,go=rX "$tree"

mkdir "$tree/DEBIAN"
sed "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$(du -sk --apparent-size "$tree" | cut -f1)/" deploy/debian/control >"$tree/DEBIAN/control"
echo /etc/gavel/domain.yml >"$tree/DEBIAN/conffiles"
(cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
chmod 0644 "$tree"/DEBIAN/*
for script in postinst prerm postrm; do install -m 0755 "deploy/debian/$script" "$tree/DEBIAN/$script"; done
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p target/debian
package="target/debian/gavel_${version}_${arch}.deb"
dpkg-deb --root-owner-group -Zxz --build "$tree" "$package" >&2
echo "$package"
