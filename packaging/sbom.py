#!/usr/bin/env python3
"""Writes the bill of materials and the licences of the program. `packaging/sbom.sh` starts it.

    sbom.py METADATA COMPILED IN_PROGRAM LOCK TARGET RUST FOLDER

METADATA: what `cargo metadata --filter-platform TARGET` prints. It names more packages than are built: COMPILED and IN_PROGRAM
are lists of `cargo tree`, one package a line, which are exact. LOCK: `Cargo.lock`, for the checksums. RUST: version of the
compiler, whose standard library is part of the program.

What only tests use is left out. What runs while the program is compiled (build scripts, macros, and what these use) is listed
with the scope `excluded`: it is not in the program, but it decided what is.
"""

import hashlib
import json
import os
import pathlib
import re
import sys
import tomllib
import uuid

LICENCE_FILE = re.compile(r"^(un)?(licen[cs]e|copying|copyright|notice)(?![a-z])", re.IGNORECASE)
# Sources with one of these endings are called after a licence here and there.
NO_TEXT = {".rs", ".c", ".h", ".html", ".json", ".toml", ".py", ".sh", ".yml"}
# Folders of a package whose files are not compiled.
NOT_COMPILED = {"tests", "test", "benches", "examples", "fuzz", "target", ".git", ".github"}


def main():
    metadata, compiled, in_program, lock, target, rust, folder = sys.argv[1:]
    metadata = json.loads(pathlib.Path(metadata).read_text(encoding="utf-8"))
    lock = tomllib.loads(pathlib.Path(lock).read_text(encoding="utf-8"))
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in lock["package"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    compiled, in_program = listed(compiled, packages), listed(in_program, packages)
    others = sorted(compiled - {root}, key=lambda id: (packages[id]["name"], packages[id]["version"]))

    folder = pathlib.Path(folder)
    bill = bill_of_materials(packages, nodes, root, others, in_program, compiled, checksums, target, rust)
    text = json.dumps(bill, ensure_ascii=False, indent=1)
    (folder / "motcua.cdx.json").write_text(text + "\n", encoding="utf-8")
    licences = licences_of([packages[id] for id in others], metadata["workspace_root"])
    (folder / "third-party-licences.txt").write_text(licences, encoding="utf-8")


def listed(file, packages):
    """The packages that `cargo tree` listed, a name and a version with a `v` a line."""
    ids = {(package["name"], package["version"]): id for id, package in packages.items()}
    words = (line.split() for line in pathlib.Path(file).read_text(encoding="utf-8").splitlines() if line)
    return {ids[name, version.removeprefix("v")] for name, version, *_ in words}


def expression(package):
    """Licence as an SPDX expression. Older packages write `/` for `OR`."""
    return re.sub(r"\s*/\s*", " OR ", package["license"] or "NOASSERTION")


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def bill_of_materials(packages, nodes, root, others, in_program, compiled, checksums, target, rust):
    standard_library = {
        "type": "library",
        "bom-ref": f"rust-std@{rust}",
        "name": "rust-std",
        "version": rust,
        "description": "Standard library of Rust",
        "scope": "required",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": f"pkg:generic/rust-std@{rust}",
    }
    components = [component(packages[id], id in in_program, checksums) for id in others] + [standard_library]
    dependencies = []
    for id in [root, *others]:
        needed = [edge["pkg"] for edge in nodes[id]["deps"] if any(kind["kind"] != "dev" for kind in edge["dep_kinds"])]
        refs = sorted(purl(packages[other]) for other in needed if other in compiled)
        dependencies.append({"ref": purl(packages[id]), "dependsOn": refs + ([standard_library["bom-ref"]] if id == root else [])})
    main = packages[root]
    subject = {"type": "application", "bom-ref": purl(main), "name": main["name"], "version": main["version"], "purl": purl(main)}
    subject |= {"description": main["description"], "licenses": [{"expression": expression(main)}]}
    content = {
        "metadata": {
            "component": subject,
            "properties": [{"name": "cdx:rustc:sbom:target:triple", "value": target}],
        },
        "components": components,
        "dependencies": dependencies,
    }
    # The same sources give the same document: its number is made of what it says, and it has no time.
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    number = uuid.uuid5(uuid.NAMESPACE_OID, digest)
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{number}", "version": 1} | content


def component(package, is_in_program, checksums):
    found = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "scope": "required" if is_in_program else "excluded",
        "licenses": [{"expression": expression(package)}],
        "purl": purl(package),
    }
    if package["authors"]:
        found["author"] = ", ".join(package["authors"])
    if package["description"]:
        found["description"] = " ".join(package["description"].split())
    checksum = checksums[package["name"], package["version"]]
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"].strip()}]
    return found


def licence_texts(package):
    """The licence files of a package, and of the projects in C that it contains: names within the package, and texts."""
    top = pathlib.Path(package["manifest_path"]).parent
    named = {top / package["license_file"]} if package["license_file"] else set()
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in NOT_COMPILED)
        paths = (pathlib.Path(folder, name) for name in files if LICENCE_FILE.match(name))
        named |= {path for path in paths if path.suffix.lower() not in NO_TEXT}
    for path in sorted(named):
        text = path.read_text(encoding="utf-8", errors="replace").strip().replace("\r\n", "\n")
        # A project in C that lets its users choose between this licence and a permissive one is used under the latter.
        is_declined = text.lstrip().upper().startswith("GNU GENERAL PUBLIC LICENSE")
        if text and not is_declined:
            yield path.relative_to(top).as_posix(), text


def licences_of(packages, root):
    """A list of all packages with their licences, then each text once, with the packages that have it.

    A package may state a licence and have no text of it: the texts of this repository follow for MIT and Apache-2.0.
    """
    lines = [
        "motcua is made of the projects below. Each has its licence, and whoever passes on the program passes on these texts.",
        "",
    ]
    holders, without = {}, []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        lines.append(f"{name}: {expression(package)}")
        texts = list(licence_texts(package))
        for file, text in texts:
            holders.setdefault(text, []).append(f"{name} ({file})")
        if not texts:
            authors = ", ".join(package["authors"]) or "its authors"
            without.append(f"{name}: {expression(package)}; copyright {authors}")
    if without:
        lines += ["", "These packages state their licence and contain no text of it:", *without]
        for file, title in (("LICENSE-MIT", "MIT"), ("LICENSE-APACHE", "Apache-2.0")):
            text = (pathlib.Path(root) / file).read_text(encoding="utf-8").strip()
            holders.setdefault(text, []).append(f"motcua, and the packages above whose licence is {title}")
    for text, names in sorted(holders.items(), key=lambda entry: entry[1]):
        lines += ["", "=" * 120, *names, "-" * 120, text]
    return "\n".join(lines) + "\n"


main()
