#!/usr/bin/env bash
# sbom.sh FOLDER [TARGET]: lists what the program is made of, for a target (this machine's if none is named).
#
# Writes FOLDER/motcua.cdx.json (bill of materials, CycloneDX 1.5) and FOLDER/third-party-licences.txt (names, licences and
# their texts). Needs cargo, python3 and the sources of the dependencies, which a build has brought; no network.
set -euo pipefail

[ "$#" -ge 1 ] && [ "$#" -le 2 ] || { sed -n '2,/^set /{s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
mkdir -p "$1"
folder=$(realpath "$1")
cd "$(dirname "$0")/.."

target="${2:-$(rustc -vV | sed -n 's/^host: //p')}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo metadata --locked --offline --format-version 1 --filter-platform "$target" >"$scratch/metadata"
# The packages that are compiled; and of these, what is in the program: no macros, and nothing that only build scripts use.
tree() { cargo tree --locked --offline --target "$target" --prefix none --format '{p}' --edges "$1"; }
tree normal,build >"$scratch/compiled"
tree normal,no-proc-macro >"$scratch/in-program"
python3 packaging/sbom.py "$scratch/metadata" "$scratch/compiled" "$scratch/in-program" Cargo.lock \
    "$target" "$(rustc -vV | sed -n 's/^release: //p')" "$folder"
