"""Where the pictures of a stream come from: OpenCV opens RTSP, MJPEG, USB and video files.

A source is a generator that opens, waits for each picture in turn, and ends or raises
`CameraError` when there will be no more. Every step of it may block for seconds: it is stepped
in a capture thread (`stream`) and nowhere else.
"""

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import cv2
import numpy as np

from gatekeeper.clock import monotonic
from gatekeeper.config import (
    MjpegSettings,
    RtspSettings,
    StreamSettings,
    UsbSettings,
    VideoSettings,
)
from gatekeeper.drivers.login import login_of
from gatekeeper.drivers.refusal import refusal
from gatekeeper.errors import CameraError
from gatekeeper.model import Pixels

Pictures = Generator[Callable[[], Pixels], None, None]
"""Each step waits for the next picture; what it gives turns that picture into pixels, until the
next step, and raises `CameraError`."""

OPEN_MS = 3000
READ_MS = 2000
"""FFmpeg's own limits: by default an open without an answer blocks for 30 s. One stream may be
given longer for a picture."""

_FFMPEG_OPTIONS = (
    "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|analyzeduration;200000|probesize;32768"
)
"""Without them a stream takes 2.9 s to open and begins with pictures as old as that."""

_VIDEOS = frozenset((".avi", ".mkv", ".mov", ".mp4", ".ts"))
"""The files of a folder that are videos; others are passed over in silence."""

_PACE = 25.0
"""Pictures a second of a video that does not tell."""


def pictures_of(settings: StreamSettings) -> Callable[[float], Pictures]:
    """The source that the settings tell of, to be opened again and again, each time with the
    seconds that a picture of a network stream may take.
    """
    # They are read when a stream is opened, and there is no other way to tell OpenCV.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _FFMPEG_OPTIONS)
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(READ_MS // 1000))
    # Else one lock is held while a stream is opened: beside three cameras that never answer, a
    # healthy one took 9 s to open; without it 0.04 s. FFmpeg needs no such lock since 4.0.
    os.environ.setdefault("OPENCV_FFMPEG_IS_THREAD_SAFE", "1")
    # Its warnings say no more than our errors; what FFmpeg says (401, refused) is kept.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    if isinstance(settings, UsbSettings):
        return lambda _: _usb(settings)
    if isinstance(settings, VideoSettings):
        return lambda _: _played(settings.path)
    return partial(_network, settings)


def _network(settings: RtspSettings | MjpegSettings, patience_s: float) -> Pictures:
    read_ms = max(READ_MS, round(1000 * patience_s))
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        OPEN_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        read_ms,
        cv2.CAP_PROP_N_THREADS,  # more of them hold each picture back by one
        1,
    ]
    capture = cv2.VideoCapture(_with_password(settings), cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        raise refusal(settings.url)
    return _in_time(_live(capture), read_ms / 1000)


def _in_time(pictures: Pictures, limit_s: float) -> Pictures:
    """A read that ran into FFmpeg's limit gives the picture that its decoder still held, which is
    as old as the limit; it must not be taken for a new one.
    """
    with contextlib.closing(pictures):
        while True:
            asked_at = monotonic()
            take = next(pictures, None)
            if take is None:
                return
            if monotonic() - asked_at >= limit_s:
                raise CameraError(f"no picture for {limit_s:.1f} s")
            yield take


def _usb(settings: UsbSettings) -> Pictures:
    device = settings.device
    at = device if isinstance(device, int) else os.path.realpath(device)
    capture = cv2.VideoCapture(at, cv2.CAP_V4L2)
    # Wishes: a camera that knows no MJPG sends raw pictures, which at this size come slowly.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    return _live(capture)


def _played(path: Path) -> Pictures:
    """Round and round; each round lists the folder again."""
    while True:
        shown = 0
        for file in _videos(path):
            for take in _paced(file):
                shown += 1
                yield take
        if not shown:
            raise CameraError(f"{path} holds no video that can be played")


def _paced(file: Path) -> Pictures:
    capture = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG)
    interval_s = 1 / (capture.get(cv2.CAP_PROP_FPS) or _PACE)
    due = monotonic()
    for take in _taken(capture):
        time.sleep(max(0.0, due - monotonic()))
        due = max(due + interval_s, monotonic())
        yield take


def _videos(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        return iter((path,))
    return iter(sorted(file for file in path.iterdir() if file.suffix.lower() in _VIDEOS))


def _live(capture: cv2.VideoCapture) -> Pictures:
    if not capture.isOpened():
        raise CameraError("it cannot be opened")
    return _taken(capture)


def _taken(capture: cv2.VideoCapture) -> Pictures:
    try:
        while capture.grab():
            yield partial(_pixels, capture)
    finally:
        capture.release()


def _pixels(capture: cv2.VideoCapture) -> Pixels:
    well, pixels = capture.retrieve()
    if not well:
        raise CameraError("a picture of the stream cannot be decoded")
    return np.asarray(pixels, np.uint8)


def _with_password(settings: RtspSettings | MjpegSettings) -> str:
    """FFmpeg answers a challenge, Digest or Basic, with what stands in the address; raises
    `LoginError`.
    """
    login = login_of(settings)
    if login is None:
        return settings.url
    who = f"{quote(login.username, '')}:{quote(login.password, '')}"
    parts = urlsplit(settings.url)
    return parts._replace(netloc=f"{who}@{parts.netloc.rpartition('@')[2]}").geturl()
