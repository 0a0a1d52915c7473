"""The site of the demonstration: a real configuration file, and how its board is wired."""

from dataclasses import dataclass
from pathlib import Path

from simulators.site.layout import GATES, Layout

LANES = tuple(name for name, _, _ in GATES)

CAMERA_USER, CAMERA_PASSWORD = "gate", "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where everything of one demonstration lies and listens."""

    folder: Path
    broker_port: int
    camera_port: int
    board_port: int
    limit_s: float

    @property
    def config(self) -> Path:
        """The daemon's configuration file."""
        return self.folder / "gatekeeper.toml"

    def write(self) -> None:
        """Write the configuration and the password it names."""
        cameras = f"http://127.0.0.1:{self.camera_port}"
        addresses = {f"camera-{lane}": f"{cameras}/{lane}/snapshot.jpg" for lane in LANES}
        addresses["board"] = f"tcp://127.0.0.1:{self.board_port}"
        text = layout(self.limit_s).config(addresses, self.broker_port)
        self.config.write_text(text, encoding="utf-8")
        (self.folder / "camera.password").write_text(CAMERA_PASSWORD, encoding="utf-8")


def layout(limit_s: float) -> Layout:
    """The site, with a limit that is over soon."""
    return Layout(
        site="demo",
        displays=False,
        limit_s=limit_s,
        warning=1 / 3,
        grace=1 / 3,
        speed=2.0,
        login={"username": CAMERA_USER, "password_file": "camera.password"},
    )
