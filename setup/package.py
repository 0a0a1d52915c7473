"""Builds gatekeeper_VERSION_ARCHITECTURE.deb: a virtual environment of hashed wheels, the networks,
and what systemd needs. Nothing is fetched when it is installed.
"""

import argparse
import compileall
import hashlib
import os
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = "3.11"
"""That of Debian 12: wheels are made for one version."""

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBC = 36
"""Wheels may want the C library 2.36 of Debian 12 at most."""

HOME = Path("opt/gatekeeper")
SITE = HOME / f"lib/python{PYTHON}/site-packages"
LEFT_OUT = (
    "setuptools*",
    "_distutils_hack",
    "distutils-precedence.pth",
    "pkg_resources",
    "bin",
    "**/tests",
    "sqlalchemy/testing",
    "**/*.pyi",
    "**/*.pyx",
    "numpy/f2py",
    "numpy/_core/include",
    *(
        f"{part}*"
        for part in ("aiohttp", "aiosignal", "frozenlist", "multidict", "yarl", "propcache")
    ),
    *(f"onnxruntime/{part}" for part in ("transformers", "tools", "quantization", "datasets")),
)
"""What was needed to install this tree, or serves to make and try packages: no gate runs it."""


def main() -> None:
    """Build it, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("architecture", nargs="?", default=_here(), choices=sorted(MACHINES))
    architecture = parser.parse_args().architecture
    if platform.python_version_tuple()[:2] != tuple(PYTHON.split(".")):
        sys.exit(f"the package is for Python {PYTHON}, and is built by it; this is {sys.version}")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _install_wheels(tree / SITE, architecture)
        _install_tree(tree / SITE)
        _make_environment(tree / HOME)
        _put_system_files(tree)
        _write_control(tree, architecture)
        sys.stdout.write(f"{_pack(tree, architecture)}\n")


def version() -> str:
    """That of the project."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def headless(lock: str, instead: str) -> str:
    """A lock with OpenCV's build without windows in place of the other, of the same version."""
    wanted = re.search(r"^opencv-python==(\S+)", lock, re.M)
    if wanted is None or f"opencv-python-headless=={wanted[1]} " not in instead:
        sys.exit("setup/opencv-headless.lock: another version than in requirements.lock")
    return re.sub(r"^opencv-python==.*?(?=^[a-z])", instead, lock, flags=re.M | re.S)


def _here() -> str:
    return next(name for name, machine in MACHINES.items() if machine == platform.machine())


def _install_wheels(site: Path, architecture: str) -> None:
    site.mkdir(parents=True)
    lock = site / "lock"
    locked = (ROOT / "requirements.lock").read_text()
    lock.write_text(headless(locked, (ROOT / "setup/opencv-headless.lock").read_text()))
    wanted = ["--require-hashes", "--only-binary=:all:", "--implementation=cp"]
    wanted += [f"--python-version={PYTHON}", "--abi=cp311", "--abi=abi3", "--abi=none"]
    wanted += [f"--platform={each}" for each in _platforms(MACHINES[architecture])]
    _pip("install", "--no-deps", *wanted, f"--target={site}", "-r", str(lock))
    lock.unlink()
    for pattern in LEFT_OUT:
        for path in [*site.glob(pattern)]:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _platforms(machine: str) -> Iterator[str]:
    for minor in range(GLIBC, 16, -1):
        yield f"manylinux_2_{minor}_{machine}"
    yield f"manylinux2014_{machine}"
    yield f"linux_{machine}"


def _install_tree(site: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.mkdir()
        shutil.copytree(ROOT / "gatekeeper", source / "gatekeeper")
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, source)
        _pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", str(source))
        (wheel,) = Path(folder).glob("*.whl")
        _pip("install", "--no-deps", f"--target={site}", str(wheel))
    shutil.rmtree(site / "bin", ignore_errors=True)


def _make_environment(home: Path) -> None:
    """A virtual environment of the machine's own Python, which finds it beside its link."""
    (home / "bin").mkdir()
    (home / "bin/python").symlink_to(f"/usr/bin/python{PYTHON}")
    (home / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    _copy(ROOT / "setup/debian/gatekeeper", home / "bin/gatekeeper", mode=0o755)
    for path in (home / "lib").rglob("__pycache__"):
        shutil.rmtree(path)
    compileall.compile_dir(
        home / "lib",
        quiet=2,
        stripdir=home,
        prependdir=Path("/") / HOME,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _put_system_files(tree: Path) -> None:
    systemd, shared = ROOT / "systemd", tree / "usr/share"
    _copy(systemd / "gatekeeper.service", tree / "lib/systemd/system/gatekeeper.service")
    _copy(systemd / "gatekeeper.sysusers", tree / "usr/lib/sysusers.d/gatekeeper.conf")
    _copy(systemd / "gatekeeper.tmpfiles", tree / "usr/lib/tmpfiles.d/gatekeeper.conf")
    about = shared / "doc/gatekeeper"
    for name in ("README.md", "README.zh-CN.md"):
        _copy(ROOT / name, about / name)
    for path in sorted((ROOT / "docs").glob("*.md")):
        _copy(path, about / "docs" / path.name)
    _copy(ROOT / "config/gatekeeper.toml", about / "examples/gatekeeper.toml")
    _copy(ROOT / "setup/debian/copyright", about / "copyright")
    _write(shared / "bash-completion/completions/gatekeeper", _completion())
    program = tree / "usr/bin/gatekeeper"
    program.parent.mkdir(parents=True)
    program.symlink_to("/opt/gatekeeper/bin/gatekeeper")


def _completion() -> str:
    asked = {**os.environ, "_GATEKEEPER_COMPLETE": "bash_source"}
    command = [sys.executable, "-c", _COMPLETE]
    return _run(*command, env=asked)


_COMPLETE = "from gatekeeper.cli import gatekeeper; gatekeeper(prog_name='gatekeeper')"


def _write_control(tree: Path, architecture: str) -> None:
    control = tree / "DEBIAN"
    control.mkdir()
    size = sum(path.stat().st_size for path in _files(tree)) // 1024
    text = (ROOT / "setup/debian/control").read_text()
    (control / "control").write_text(
        text.format(version=version(), architecture=architecture, size=size)
    )
    for name in ("postinst", "prerm", "postrm"):
        _copy(ROOT / "setup/debian" / name, control / name, mode=0o755)
    sums = (
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  "
        f"{path.relative_to(tree)}\n"
        for path in _files(tree)
    )
    (control / "md5sums").write_text("".join(sums))


def _files(tree: Path) -> list[Path]:
    found = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in found if tree / "DEBIAN" not in path.parents]


def _pack(tree: Path, architecture: str) -> Path:
    package = ROOT / "dist" / f"gatekeeper_{version()}_{architecture}.deb"
    package.parent.mkdir(exist_ok=True)
    _run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(package))
    return package.relative_to(ROOT)


def _pip(*words: str) -> None:
    _run(sys.executable, "-m", "pip", words[0], "-q", *words[1:])


def _run(*command: str, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - words of this file
    return done.stdout


def _copy(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


if __name__ == "__main__":
    main()
