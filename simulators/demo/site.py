"""The site of the demonstration: a real configuration file, and how its board is wired."""

from dataclasses import dataclass
from pathlib import Path

from simulators.site.layout import GATES

LANES = tuple(name for name, _, _ in GATES)
"""In the order of their coils; lane n has the inputs 2n (arrival loop) and 2n + 1 (safety loop)."""

CAMERA_USER, CAMERA_PASSWORD = "gate", "demo"

_CONFIG = """\
# Written by the demonstration; a real gate's file is config/gatekeeper.toml.
site = "demo"
controller = "gate-1"

[store]
path = "gatekeeper.db"
pictures = "pictures"
min_free_mb = 50

[recognition]
networks = "gk"

[centre]
host = "127.0.0.1"
port = {broker_port}
keepalive_s = 5

[[zone]]
name = "car_park"
capacity = 400
admits = "everybody"

[[zone]]
name = "visitor_zone"
inside = "car_park"
capacity = 60
admits = "registered"
internal_limit_s = {limit_s}   # ten minutes at a real gate
warning_s = {warning_s}
grace_s = {grace_s}

[[board]]
name = "relays"
address = "tcp://127.0.0.1:{board_port}"
"""

_LANE = """
[[lane]]
name = "{lane}"
zone = "{zone}"
direction = "{direction}"
camera = {{ kind = "snapshot", url = "http://127.0.0.1:{camera_port}/{lane}/snapshot.jpg", \
username = "{user}", password_file = "camera.password" }}
barrier = {{ board = "relays", coil = {coil} }}
arrival_loop = {{ board = "relays", input = {arrival} }}
safety_loop = {{ board = "relays", input = {safety} }}
geometry = {{ arrival_to_safety_m = 1.0, safety_loop_m = 1.5 }}
"""


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
        text = _CONFIG.format(
            broker_port=self.broker_port,
            board_port=self.board_port,
            limit_s=self.limit_s,
            warning_s=self.limit_s / 3,
            grace_s=max(1.0, self.limit_s / 3),
        )
        for number, (lane, zone, direction) in enumerate(GATES):
            text += _LANE.format(
                lane=lane,
                zone=zone,
                direction=direction,
                camera_port=self.camera_port,
                user=CAMERA_USER,
                coil=number,
                arrival=2 * number,
                safety=2 * number + 1,
            )
        self.config.write_text(text, encoding="utf-8")
        (self.folder / "camera.password").write_text(CAMERA_PASSWORD, encoding="utf-8")

    @staticmethod
    def wiring_options() -> list[str]:
        """The board's lanes, as its simulator wants to be told."""
        return [
            f"--lane={lane}:coil={n},arrival={2 * n},safety={2 * n + 1}"
            for n, lane in enumerate(LANES)
        ]
