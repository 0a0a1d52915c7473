"""The RTSP server of one simulated camera: pictures come in on stdin, H.264 or H.265 goes out.

It runs under Debian's own Python, where GStreamer's bindings are, and imports nothing else of
ours. A picture is WIDTH x HEIGHT x 3 bytes: B, G, R. A line on stdout says `listening PORT`, then
`playing` and `idle` as the first client comes and the last one leaves, who alone are sent to.
"""

import argparse
import ctypes
import os
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions come first

_PIPELINE = (
    "( appsrc name=pictures is-live=true do-timestamp=true format=time max-buffers=2"
    " leaky-type=downstream caps=video/x-raw,format=BGR,width={width},height={height},"
    "framerate={rate}/1 ! videoconvert ! video/x-raw,format=I420"
    " ! {encoder} tune=zerolatency speed-preset=ultrafast key-int-max={keys} bitrate=4000"
    " ! {parser} ! {payloader} name=pay0 pt=96 config-interval=1 )"
)
_CODECS = {
    "h264": {"encoder": "x264enc", "parser": "h264parse", "payloader": "rtph264pay"},
    "h265": {"encoder": "x265enc", "parser": "h265parse", "payloader": "rtph265pay"},
}
_SESSIONS_LOOKED_AT_S = 5
_PR_SET_PDEATHSIG = 1
"""prctl(2): a server that is stopped does not see the end of its stdin."""


class Server:
    """Hands every picture on stdin to all players."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._size = options.width * options.height * 3
        self._rest = bytearray()
        self._pictures = None
        self._server = GstRtspServer.RTSPServer()
        self._server.set_address(options.host)
        self._server.set_service(str(options.port))
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_shared(True)
        factory.set_launch(_PIPELINE.format(**vars(options), **_CODECS[options.codec]))
        factory.connect("media-configure", self._configured)
        if options.user:
            _guard(self._server, factory, options.user, options.password)
        self._server.get_mount_points().add_factory(options.path, factory)

    def run(self) -> None:
        """Serve until stdin ends."""
        if not self._server.attach(None):
            sys.exit("the port is taken")
        _tell(f"listening {self._server.get_bound_port()}")
        self._loop = GLib.MainLoop()
        GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, self._read)
        GLib.timeout_add_seconds(_SESSIONS_LOOKED_AT_S, self._forget_sessions)
        self._loop.run()

    def _configured(self, _: object, media: GstRtspServer.RTSPMedia) -> None:
        self._pictures = media.get_element().get_child_by_name("pictures")
        media.connect("unprepared", self._unprepared)
        _tell("playing")

    def _unprepared(self, _: object) -> None:
        self._pictures = None
        _tell("idle")

    def _read(self, *_: object) -> bool:
        chunk = os.read(0, 1 << 20)
        if not chunk:
            self._loop.quit()
            return False
        self._rest += chunk
        while len(self._rest) >= self._size:
            picture, self._rest = bytes(self._rest[: self._size]), self._rest[self._size :]
            if self._pictures is not None:
                self._pictures.emit("push-buffer", Gst.Buffer.new_wrapped(picture))
        return True

    def _forget_sessions(self) -> bool:
        self._server.get_session_pool().cleanup()
        return True


def _guard(
    server: GstRtspServer.RTSPServer,
    factory: GstRtspServer.RTSPMediaFactory,
    user: str,
    password: str,
) -> None:
    """Every player has to answer a Digest challenge."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, user)
    auth.add_digest(user, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role(user, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    permissions.add_permission_for_role(user, GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.set_permissions(permissions)


def _tell(word: str) -> None:
    print(word, flush=True)


def main() -> None:
    """Serve one camera."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    Gst.init(None)
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--host", required=True)
    line.add_argument("--port", type=int, required=True)
    line.add_argument("--path", required=True)
    line.add_argument("--codec", choices=_CODECS, default="h264")
    for name in ("width", "height", "rate", "keys"):
        line.add_argument(f"--{name}", type=int, required=True)
    line.add_argument("--user", default="")
    line.add_argument("--password", default="")
    Server(line.parse_args()).run()


if __name__ == "__main__":
    main()
