"""The Debian package is made of what the lock files say."""

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
INSTEAD = (ROOT / "setup" / "opencv-headless.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def package() -> ModuleType:
    spec = importlib.util.spec_from_file_location("package", ROOT / "setup" / "package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_has_opencv_without_windows_of_the_version_that_is_locked(package: ModuleType) -> None:
    names = re.findall(r"^([a-z0-9-]+)==", package.headless(LOCK, INSTEAD), re.M)
    assert "opencv-python" not in names
    assert names.count("opencv-python-headless") == 1
    left = set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.M)) - {"opencv-python"}
    assert set(names) == left | {"opencv-python-headless"}


def test_another_version_of_opencv_is_refused(package: ModuleType) -> None:
    with pytest.raises(SystemExit, match="another version"):
        package.headless(LOCK.replace("opencv-python==", "opencv-python==9."), INSTEAD)


@pytest.mark.parametrize("name", ["gatekeeper", "postinst", "prerm", "postrm"])
def test_its_scripts_can_be_read_by_a_shell(name: str) -> None:
    subprocess.run(["sh", "-n", str(ROOT / "setup" / "debian" / name)], check=True)


def test_the_unit_starts_what_the_package_installs() -> None:
    unit = (ROOT / "systemd" / "gatekeeper.service").read_text(encoding="utf-8")
    assert "ExecStart=/usr/bin/gatekeeper run /etc/gatekeeper/gatekeeper.toml" in unit
