#!/usr/bin/env bash
# deb.sh PROGRAM FOLDER [--revision N] [--compression KIND]: makes the Debian package of a program that was built before.
#
# Writes FOLDER/motcua_VERSION-N_ARCHITECTURE.deb and prints its path. The program must run on this machine: it writes the
# configuration of a new office itself. Needs dpkg, binutils, python3 and what packaging/sbom.sh needs.
#   --revision N          counts packages of one version, from 1
#   --compression KIND    of dpkg-deb: xz (as Debian has it), zstd, gzip, or none for a quick test
set -euo pipefail

usage() { sed -n '2,/^set /{s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
revision=1 compression=xz positional=()
while [ "$#" -gt 0 ]; do
    case "$1" in
        --revision) revision="${2:?}"; shift 2 ;;
        --compression) compression="${2:?}"; shift 2 ;;
        -*) usage ;;
        *) positional+=("$1"); shift ;;
    esac
done
[ "${#positional[@]}" -eq 2 ] || usage
program=$(realpath "${positional[0]}")
mkdir -p "${positional[1]}"
folder=$(realpath "${positional[1]}")
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
architecture=$(dpkg --print-architecture)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
# Rights are those of the package, whatever the umask of this shell.
umask 022
chmod 755 "$stage"

# The libraries that the program loads, as packages; the oldest C library that has what it uses.
libraries() {
    local needed glibc
    needed=$(readelf -dW "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p')
    glibc=$(readelf -VW "$program" | grep -o 'GLIBC_[0-9][0-9.]*' | sed 's/GLIBC_//' | sort -Vu | tail -1)
    for library in $needed; do
        case "$library" in
            libc.so.6 | libm.so.6 | libdl.so.2 | libpthread.so.0 | librt.so.1 | ld-linux-*) echo "libc6 (>= $glibc)" ;;
            libgcc_s.so.1) echo "libgcc-s1" ;;
            *) echo "error: deb.sh does not know the package of $library" >&2; return 1 ;;
        esac
    done | sort -u | paste -sd, | sed 's/,/, /g'
}
depends=$(libraries)

# The program and its unit. The unit of the documentation is for a program that was copied by hand.
install -D -d "$stage/usr/bin"
strip -o "$stage/usr/bin/motcua" "$program"
chmod 755 "$stage/usr/bin/motcua"
install -d "$stage/usr/lib/systemd/system"
sed -e '1d' -e 's|^ExecStart=/usr/local/bin/|ExecStart=/usr/bin/|' docs/examples/motcua.service >"$stage/usr/lib/systemd/system/motcua.service"
grep -q '^ExecStart=/usr/bin/motcua serve$' "$stage/usr/lib/systemd/system/motcua.service"
install -D -m 644 packaging/debian/sysusers.conf "$stage/usr/lib/sysusers.d/motcua.conf"

# The office's start. The user of the service reads it through its group, which the package sets when it is installed: the
# group has no number before.
"$program" --lang en init "$stage/etc/motcua" >&2
install -m 640 packaging/debian/environment "$stage/etc/motcua/environment"
find "$stage/etc/motcua" -type d -exec chmod 750 {} +
find "$stage/etc/motcua" -type f -exec chmod 640 {} +
install -d -m 700 "$stage/etc/motcua/secrets"

# What people read: pages, licences, and the list of what the program is made of.
doc="$stage/usr/share/doc/motcua"
install -d "$doc"
install -m 644 README.md README.vi.md packaging/debian/README.Debian packaging/debian/copyright "$doc"
cp -r docs "$doc/docs"
gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
packaging/sbom.sh "$doc"
gzip -9n "$doc/third-party-licences.txt"
find "$doc" -type d -exec chmod 755 {} +
find "$doc" -type f -exec chmod 644 {} +

install -d "$stage/DEBIAN"
install -m 755 packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm "$stage/DEBIAN"
(cd "$stage" && find etc -type f -printf '/%p\n' | sort) >"$stage/DEBIAN/conffiles"
(cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
size=$(du -sk --apparent-size --exclude=DEBIAN "$stage" | cut -f1)
sed -e "s/@VERSION@/$version-$revision/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" -e "s/@LIBRARIES@/$depends/" \
    packaging/debian/control >"$stage/DEBIAN/control"

# The same sources and program give the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
package="$folder/motcua_$version-${revision}_$architecture.deb"
dpkg-deb --root-owner-group "-Z$compression" --build "$stage" "$package" >&2
echo "$package"
