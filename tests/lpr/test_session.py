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
