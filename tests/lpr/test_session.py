"""The edge to onnxruntime."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_runtime_tells_its_makers_nothing(tmp_path: Path) -> None:
    """Its telemetry begins with a file in the temporary folder."""
    for switch in ("0", "1"):
        subprocess.run(
            [sys.executable, "-c", "import gatekeeper.lpr.session"],
            env={**os.environ, "TMPDIR": str(tmp_path), "ORT_DISABLE_TELEMETRY": switch},
            check=True,
        )
    assert list(tmp_path.iterdir()) == []


def test_reading_plates_fetches_nothing_and_needs_no_home(tmp_path: Path) -> None:
    """HyperLPR3 downloads its networks when it is imported, and fails where HOME is not set."""
    said = subprocess.run(
        [sys.executable, "-c", "import gatekeeper.lpr, sys; print(*sys.modules)"],
        env={key: told for key, told in os.environ.items() if key != "HOME"},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = said.stdout.split()
    assert "onnxruntime" in loaded
    assert not {"hyperlpr3", "requests", "urllib.request", "http.client"} & set(loaded)
