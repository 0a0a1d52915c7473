"""The configuration file: TOML in, frozen settings out.

Bounds and units are checked here and nowhere else. An unknown key is an error that names it, and
so is a reference to a zone or board that is not there; all faults are told at once, one a line.
Passwords stand in files of their own, so that a configuration may be shown to anyone.
"""

from gatekeeper.config.advice import warnings
from gatekeeper.config.boards import BoardSettings, LineSettings, Wire
from gatekeeper.config.cameras import (
    Area,
    CameraSettings,
    FolderSettings,
    MjpegSettings,
    RtspSettings,
    SnapshotSettings,
    StreamSettings,
    UsbSettings,
    VideoSettings,
    ViewSettings,
    without_secrets,
)
from gatekeeper.config.controller import (
    CentreSettings,
    Config,
    PeerSettings,
    RecognitionSettings,
    StoreSettings,
)
from gatekeeper.config.displays import DisplaySettings, TextsSettings, WordingSettings
from gatekeeper.config.file import load, understood
from gatekeeper.config.fire import FireSettings
from gatekeeper.config.lanes import (
    BarrierSettings,
    GeometrySettings,
    InputSettings,
    LaneSettings,
)
from gatekeeper.config.limits import advisory_because
from gatekeeper.config.profiles import (
    BoardProfile,
    CoilFlash,
    CommandPulse,
    RegisterFlash,
    TimedPulse,
    UnusableProfile,
    profile_names,
)
from gatekeeper.config.reversible import reversible_lanes
from gatekeeper.config.secrets import pem, secret
from gatekeeper.config.text import plain, read_text
from gatekeeper.config.zones import ScheduleSettings, ZoneSettings

__all__ = [
    "Area",
    "BarrierSettings",
    "BoardProfile",
    "BoardSettings",
    "CameraSettings",
    "CentreSettings",
    "CoilFlash",
    "CommandPulse",
    "Config",
    "DisplaySettings",
    "FireSettings",
    "FolderSettings",
    "GeometrySettings",
    "InputSettings",
    "LaneSettings",
    "LineSettings",
    "MjpegSettings",
    "PeerSettings",
    "RecognitionSettings",
    "RegisterFlash",
    "RtspSettings",
    "ScheduleSettings",
    "SnapshotSettings",
    "StoreSettings",
    "StreamSettings",
    "TextsSettings",
    "TimedPulse",
    "UnusableProfile",
    "UsbSettings",
    "VideoSettings",
    "ViewSettings",
    "Wire",
    "WordingSettings",
    "ZoneSettings",
    "advisory_because",
    "load",
    "pem",
    "plain",
    "profile_names",
    "read_text",
    "reversible_lanes",
    "secret",
    "understood",
    "warnings",
    "without_secrets",
]
