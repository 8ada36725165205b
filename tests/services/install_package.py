#!/usr/bin/env python3
"""Builds the Debian package of a program, and installs, upgrades, removes and purges it in a scratch folder.

    install_package.py PROGRAM

dpkg runs the scripts of the package as it always does, in a chroot: a scratch folder with the few programs that they call. What
would speak with systemd is replaced by a script that writes down its arguments, so nothing outside of the folder is touched.
Needs root (or sudo without a password), dpkg, systemd's programs, and what `packaging/deb.sh` needs.
"""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
# What the scripts of the package call, and what the program loads is found by `ldd`.
PROGRAMS = ["sh", "find", "chgrp", "install", "rmdir", "systemd-sysusers", "dpkg-query"]
# They would change this machine's services.
WRITTEN_DOWN = ["systemctl", "deb-systemd-helper", "deb-systemd-invoke"]
UNIT = "usr/lib/systemd/system/motcua.service"


def run(*command, **options):
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, **options)
    if ended.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {ended.returncode}:\n{ended.stdout}")
    return ended.stdout


def expect(what, expected, found):
    if expected != found:
        sys.exit(f"error: {what}: expected {expected!r}, found {found!r}")


class Machine:
    """A scratch folder that dpkg takes for a machine."""

    def __init__(self, folder, program):
        self.root = folder / "root"
        for name in ["usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "tmp", "run/systemd/system", "var/lib/dpkg/info", "var/lib/dpkg/updates"]:
            (self.root / name).mkdir(parents=True)
        for name in ["bin", "sbin", "lib", "lib64"]:
            (self.root / name).symlink_to(f"usr/{name}")
        (self.root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (self.root / "etc/group").write_text("root:x:0:\n")
        (self.root / "dev").mkdir()
        (self.root / "dev/null").touch()
        for name in PROGRAMS:
            path = pathlib.Path(shutil.which(name))
            shutil.copy(path, self.root / "usr/bin" / name)
            self.copy_libraries(path)
        self.copy_libraries(program)
        for name in WRITTEN_DOWN:
            script = self.root / "usr/bin" / name
            script.write_text(f'#!/bin/sh\necho "{name} $*" >>/calls\n')
            script.chmod(0o755)

    def copy_libraries(self, program):
        for library in re.findall(r"(/\S+) \(0x", run("ldd", program)):
            target = self.root / library.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)

    def has_installed(self, packages):
        """Records packages as installed, in the versions of this machine."""
        records = []
        for name in packages:
            version = run("dpkg-query", "-W", "-f", "${Version}", name)
            architecture = run("dpkg-query", "-W", "-f", "${Architecture}", name)
            records.append(
                f"Package: {name}\nStatus: install ok installed\nArchitecture: {architecture}\nMulti-Arch: foreign\n"
                f"Version: {version}\nMaintainer: nobody\nDescription: recorded\n"
            )
            (self.root / f"var/lib/dpkg/info/{name}.list").touch()
        (self.root / "var/lib/dpkg/status").write_text("\n".join(records))

    def dpkg(self, *arguments):
        # A scratch folder need not survive a crash.
        return run("dpkg", f"--root={self.root}", "--force-confold", "--force-unsafe-io", *arguments)

    def calls(self):
        """What the scripts of the package asked systemd for since the last call of this function."""
        file = self.root / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line for line in lines if not line.startswith("deb-systemd-helper ")]

    def path(self, name):
        return self.root / name.lstrip("/")

    def read(self, name):
        return self.path(name).read_text(encoding="utf-8")

    def number(self, file, name):
        """Number of a user or group."""
        fields = (line.split(":") for line in self.read(file).splitlines())
        return next(int(field[2]) for field in fields if field[0] == name)

    def rights(self, name):
        """Mode, user and group, these two by name."""
        known = self.path(name).lstat()
        names = {0: "root"}
        user = names | {self.number("/etc/passwd", "motcua"): "motcua"}
        group = names | {self.number("/etc/group", "motcua"): "motcua"}
        return f"{stat.S_IMODE(known.st_mode):04o} {user[known.st_uid]} {group[known.st_gid]}"

    def run_as_motcua(self, *command, **variables):
        """Runs a command in the folder as the user of the service; gives how it ended, and what it printed."""
        user, group = self.number("/etc/passwd", "motcua"), self.number("/etc/group", "motcua")
        return self.run_as(user, group, *command, **variables)

    def run_as(self, user, group, *command, **variables):
        def enter():
            os.chroot(self.root)
            os.chdir("/")
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)

        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL, "text": True}
        ended = subprocess.run(command, env={"PATH": "/usr/bin"} | variables, preexec_fn=enter, **options)
        return ended.returncode, ended.stdout


def files(root, below):
    return {f"/{path.relative_to(root)}" for path in (root / below).rglob("*") if path.is_file()}


def repacked(folder, changes, new_version):
    """A later package with other configuration and a small program. `changes`: texts by path."""
    tree = folder / f"tree-{new_version}"
    shutil.copytree(folder / "tree", tree, ignore=shutil.ignore_patterns("motcua.cdx.json", "bin"))
    program = tree / "usr/bin/motcua"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho newer\n")
    program.chmod(0o755)
    for name, text in changes.items():
        path = tree / name.lstrip("/")
        is_new = not path.exists()
        path.write_text(text, encoding="utf-8")
        if is_new:
            path.chmod(0o640)
            with (tree / "DEBIAN/conffiles").open("a") as conffiles:
                conffiles.write(f"{name}\n")
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*", f"Version: {new_version}", control.read_text(), flags=re.MULTILINE))
    target = folder / f"motcua_{new_version}.deb"
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, target)
    return target


def check_package(package, folder):
    """What is in the package, before anything is installed."""
    tree = folder / "tree"
    run("dpkg-deb", "--raw-extract", package, tree)
    conffiles = set((tree / "DEBIAN/conffiles").read_text().splitlines())
    expect("every file of /etc is a conffile", files(tree, "etc"), conffiles)
    expect("there are files of the office's start", True, {"/etc/motcua/config/motcua.toml", "/etc/motcua/environment"} <= conffiles)
    # Each variable of a connector that is shipped has its line.
    environment = (tree / "etc/motcua/environment").read_text()
    texts = [path.read_text() for path in (tree / "etc/motcua/connectors").glob("*/connector.toml")]
    named = {name for text in texts for name in re.findall(r"\{env:(\w+)\}", text)}
    expect("shipped connectors name variables", True, len(named) >= 8)
    expect("variables with a line", named, {name for name in named if f"\n#{name}=" in environment})
    for name in ("postinst", "prerm", "postrm"):
        run("sh", "-n", tree / "DEBIAN" / name)
    for name in ("copyright", "motcua.cdx.json", "third-party-licences.txt.gz", "docs/OPERATIONS.md", "README.Debian"):
        expect(f"{name} is shipped", True, (tree / "usr/share/doc/motcua" / name).stat().st_size > 0)
    verify_unit(tree, folder)
    run("sh", "-c", f"cd '{tree}' && md5sum --check --quiet DEBIAN/md5sums")


def verify_unit(tree, folder):
    """systemd's own check of the unit, which looks for the program where this machine would have it."""
    unit = (tree / UNIT).read_text()
    expect("the unit starts the program of the package", 1, unit.count("\nExecStart=/usr/bin/motcua serve\n"))
    copy = folder / "motcua.service"
    copy.write_text(unit.replace("/usr/bin/motcua", str(tree / "usr/bin/motcua")))
    printed = run("systemd-analyze", "verify", "--man=no", copy)
    complaints = [line for line in printed.splitlines() if "motcua.service" in line]
    expect("complaints of systemd-analyze verify", [], complaints)


def check_installed(machine):
    rights = {
        "/etc/motcua": "0750 root motcua",
        "/etc/motcua/config/motcua.toml": "0640 root motcua",
        "/etc/motcua/config/indicators": "0750 root motcua",
        "/etc/motcua/connectors/portal-igate/connector.toml": "0640 root motcua",
        "/etc/motcua/environment": "0640 root motcua",
        "/etc/motcua/secrets": "0700 root root",
        "/usr/bin/motcua": "0755 root root",
        f"/{UNIT}": "0644 root root",
        "/var/lib/motcua": "0711 motcua motcua",
        "/var/lib/motcua/data": "0700 motcua motcua",
    }
    expect("rights", rights, {name: machine.rights(name) for name in rights})
    user = next(line for line in machine.read("/etc/passwd").splitlines() if line.startswith("motcua:"))
    expect("home and shell of the user", ["/var/lib/motcua", "/usr/sbin/nologin"], user.split(":")[5:])
    expect("systemd was asked for", ["systemctl --system daemon-reload"], machine.calls())

    # The user of the service reads the configuration that was installed, and writes the data folder.
    motcua = ["/usr/bin/motcua", "--lang", "en", "--config", "/etc/motcua/config/motcua.toml", "--data", "/var/lib/motcua/data"]
    code, printed = machine.run_as_motcua(*motcua, "connectors", "list", "--format", "csv")
    expect(f"connectors list: {printed}", (0, True), (code, "portal-igate" in printed))
    code, printed = machine.run_as_motcua(*motcua, "token", "create", "clerk", "--scope", "read")
    expect(f"token create: {printed}", 0, code)
    expect("rights of a file of the data folder", "0600 motcua motcua", machine.rights("/var/lib/motcua/data/access.sqlite"))
    # Anybody else reads neither.
    for name in ("/etc/motcua/config/motcua.toml", "/var/lib/motcua/data/access.sqlite"):
        code, _ = machine.run_as(65534, 65534, "/bin/sh", "-c", f"read line <{name}")
        expect(f"another user reads {name}", True, code != 0)


def check_upgrade(machine, folder):
    """Upgrades a machine whose administrator changed a file, removed a connector, and added files."""
    agencies = machine.path("/etc/motcua/config/agencies.csv")
    office = "# The agencies of this office\n" + agencies.read_text(encoding="utf-8")
    agencies.write_text(office, encoding="utf-8")
    shutil.rmtree(machine.path("/etc/motcua/connectors/feedback"))
    secret = machine.path("/etc/motcua/secrets/igate")
    secret.write_text("a secret")
    secret.chmod(0o600)
    own = machine.path("/etc/motcua/connectors/own/connector.toml")
    own.parent.mkdir()
    own.write_text("# a connector of this office\n")
    # A key that only root reads, and a program that was copied by hand before there was a package.
    key = machine.path("/etc/motcua/tls.key")
    key.write_text("a key")
    key.chmod(0o640)
    shadow = machine.path("/usr/local/bin/motcua")
    shadow.parent.mkdir(parents=True)
    shadow.write_text("#!/bin/sh\n")
    # Rights that others gave: the group of the settings passes through the data folder, clerks edit a file.
    machine.path("/var/lib/motcua/data").chmod(0o710)
    calendar = machine.path("/etc/motcua/config/calendar.csv")
    os.chown(calendar, 0, 4711)

    feedback = "/etc/motcua/connectors/feedback/connector.toml"
    changes = {
        "/etc/motcua/config/agencies.csv": "# The newer agencies\n",
        "/etc/motcua/config/sectors.csv": "# The newer sectors\n",
        feedback: "# The newer feedback\n",
        "/etc/motcua/config/newer.csv": "# A newer file\n",
    }
    printed = machine.dpkg("--install", repacked(folder, changes, "9.0-1"))
    expect(f"the program that shadows the package's is named: {printed}", True, "motcua: /usr/local/bin/motcua comes before" in printed)
    expect("a unit that is not there is named", False, "/etc/systemd/system/motcua.service comes" in printed)
    shadow.unlink()
    expect("a changed file", office, agencies.read_text(encoding="utf-8"))
    expect("its newer text beside it", "# The newer agencies\n", machine.read("/etc/motcua/config/agencies.csv.dpkg-dist"))
    expect("a file that was not changed", "# The newer sectors\n", machine.read("/etc/motcua/config/sectors.csv"))
    expect("a removed file is back", False, machine.path(feedback).exists())
    expect("a secret", "a secret", secret.read_text())
    expect("group that the administrator gave", 4711, calendar.stat().st_gid)
    rights = {
        "/etc/motcua/config/newer.csv": "0640 root motcua",
        "/etc/motcua/config/sectors.csv": "0640 root motcua",
        "/etc/motcua/config": "0750 root motcua",
        "/etc/motcua/connectors/own/connector.toml": "0644 root root",
        "/etc/motcua/tls.key": "0640 root root",
        "/etc/motcua/secrets/igate": "0600 root root",
        "/etc/motcua/secrets": "0700 root root",
        "/var/lib/motcua/data": "0710 motcua motcua",
    }
    expect("rights after the upgrade", rights, {name: machine.rights(name) for name in rights})
    expect("systemd was asked for", ["systemctl --system daemon-reload", "deb-systemd-invoke try-restart motcua.service"], machine.calls())
    expect("the program", (0, "newer\n"), machine.run_as_motcua("/usr/bin/motcua"))


def check_removal(machine):
    before = files(machine.root, "etc/motcua") | files(machine.root, "var/lib/motcua")
    machine.dpkg("--remove", "motcua")
    expect("the service was stopped", ["deb-systemd-invoke stop motcua.service", "systemctl --system daemon-reload"], machine.calls())
    expect("the program is gone", False, machine.path("/usr/bin/motcua").exists())
    expect("configuration and data", before, files(machine.root, "etc/motcua") | files(machine.root, "var/lib/motcua"))

    data = files(machine.root, "var/lib/motcua")
    printed = machine.dpkg("--purge", "motcua")
    expect("there are data", True, "/var/lib/motcua/data/access.sqlite" in data)
    expect("data after purge", data, files(machine.root, "var/lib/motcua"))
    kept = {"/etc/motcua/secrets/igate", "/etc/motcua/tls.key", "/etc/motcua/connectors/own/connector.toml"}
    expect("configuration after purge", kept, files(machine.root, "etc/motcua"))
    for folder in ("/var/lib/motcua", "/etc/motcua"):
        expect(f"purge names {folder}: {printed}", True, f"are kept in {folder}" in printed)
    expect("the user is kept", True, "\nmotcua:" in machine.read("/etc/passwd"))


def check_unused(machine, folder):
    """A package that was never used leaves nothing."""
    for name in ("etc/motcua", "var/lib/motcua"):
        shutil.rmtree(machine.path(name))
    machine.dpkg("--install", repacked(folder, {}, "9.0-2"))
    printed = machine.dpkg("--purge", "motcua")
    left = [name for name in ("/etc/motcua", "/var/lib/motcua", "/usr/share/doc/motcua", f"/{UNIT}") if machine.path(name).exists()]
    expect(f"left after purge: {printed}", [], left)


def scratch_place():
    """A folder in which programs can be started: containers mount `/dev/shm` without that right."""
    places = [tempfile.gettempdir(), "/var/tmp", REPOSITORY / "target"]
    usable = [place for place in places if os.path.isdir(place) and not os.statvfs(place).f_flag & os.ST_NOEXEC]
    return usable[0] if usable else sys.exit(f"error: no program may be started in {places}")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    if os.geteuid() != 0:
        # cargo's folders are those of the user.
        kept = [f"{name}={os.environ[name]}" for name in ("PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "TMPDIR") if name in os.environ]
        os.execvp("sudo", ["sudo", "-n", "env", *kept, sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(dir=scratch_place()) as scratch:
        folder = pathlib.Path(scratch)
        folder.chmod(0o755)
        built = run(REPOSITORY / "packaging/deb.sh", program, folder / "built", "--compression", "none", "--revision", "3")
        package = pathlib.Path(built.splitlines()[-1])
        expect("name of the package", True, re.fullmatch(r"motcua_[0-9.]+-3_\w+\.deb", package.name) is not None)
        check_package(package, folder)
        machine = Machine(folder, program)
        depends = run("dpkg-deb", "--field", package, "Depends")
        machine.has_installed([entry.split()[0] for entry in depends.split(",")])
        machine.dpkg("--install", package)
        check_installed(machine)
        check_upgrade(machine, folder)
        check_removal(machine)
        check_unused(machine, folder)
    print("the package was installed, upgraded, removed and purged")


main()
