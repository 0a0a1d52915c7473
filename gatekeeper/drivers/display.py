"""An LED and voice board at the end of a serial line, which it alone writes to.

Texts come in and never wait: the newest wins. The line is opened, written and closed in a thread of
the display's own, so that a wedged or unplugged adapter holds up nothing else. The boards are not
asked for an answer; what is known is whether the line took the frame. The text is written again
every now and then, without its voice: so a missing adapter is noticed at an idle gate too, and a
board that lost its power shows the right thing again.
"""

import asyncio
import contextlib
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import serial

from gatekeeper.backoff import Backoff
from gatekeeper.clock import monotonic
from gatekeeper.config import DisplaySettings
from gatekeeper.drivers.led import frame_of
from gatekeeper.errors import DisplayError
from gatekeeper.health import Health
from gatekeeper.model import DisplayText

REOPEN = Backoff(first_s=0.5, last_s=5.0)
"""Backoff of a line that failed: first pause, longest pause."""

REFRESH_S = 20.0

_WRITE_S = 1.0
"""The longest frame takes 0.26 s at 9600 baud."""

_DRAIN_POLL_S = 0.01


class LedDisplay:
    """One board. `run` serves it until cancelled, and may be called again after it failed."""

    def __init__(self, settings: DisplaySettings, health: Health) -> None:
        self._name = settings.name
        self._address = settings.address
        self._health = health
        self._line = _Line(settings)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"display {settings.name}")
        self._news = asyncio.Event()
        self._shown = DisplayText()
        self._waiting: DisplayText | None = None
        """One place: a newer text takes it, and the older one is dropped."""

    def show(self, text: DisplayText) -> None:
        """From now on show this, and say it once; called in the loop's thread."""
        if text.lines:
            self._shown = text
        self._waiting = text
        self._news.set()

    async def run(self) -> None:
        """Write each text as it comes, reopening the line whenever it fails."""
        pause_s = REOPEN.first_s
        while True:
            text = await self._next()
            try:
                await self._send(text)
            except DisplayError as error:
                self._health.raise_alarm("display_failed", self._name, str(error))
                await asyncio.sleep(pause_s)
                pause_s = REOPEN.after(pause_s)
                self._retry()
            else:
                self._health.clear_alarm("display_failed", self._name)
                pause_s = REOPEN.first_s

    async def close(self) -> None:
        """Let go of the line, as soon as its thread can."""
        self._thread.submit(self._line.close)
        self._thread.shutdown(wait=False)

    async def _next(self) -> DisplayText:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REFRESH_S):
                await self._news.wait()
        self._news.clear()
        text, self._waiting = self._waiting, None
        return replace(self._shown, voice="") if text is None else text

    async def _send(self, text: DisplayText) -> None:
        frame = frame_of(text, self._address)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._line.send, frame)

    def _retry(self) -> None:
        """What could not be said in time is not said: a late voice speaks to the next driver."""
        self._waiting = replace(self._shown, voice="")
        self._news.set()


class _Line:
    """The serial line, used from the display's thread only."""

    def __init__(self, settings: DisplaySettings) -> None:
        self._settings = settings
        self._open: serial.Serial | None = None

    def send(self, frame: bytes) -> None:
        """Write a frame; raises `DisplayError` if the line has not taken it within `_WRITE_S`."""
        try:
            port = self._opened()
            port.reset_input_buffer()  # answers are not asked for
            port.write(frame)
            _drain(port)
        except (OSError, termios.error) as error:
            self.close()
            where = f"display {self._settings.name} at {self._settings.port}"
            raise DisplayError(f"{where}: {error}; check its adapter and cable") from error

    def close(self) -> None:
        """Let go of the line, and of what it has not sent: the kernel would wait for that."""
        port, self._open = self._open, None
        if port is not None:
            with contextlib.suppress(OSError, termios.error):
                port.reset_output_buffer()
            with contextlib.suppress(OSError, termios.error):
                port.close()

    def _opened(self) -> serial.Serial:
        if self._open is None:
            self._open = serial.Serial(
                self._settings.port,
                self._settings.baudrate,
                timeout=0,
                write_timeout=_WRITE_S,
                exclusive=True,
            )
        return self._open


def _drain(port: serial.Serial) -> None:
    """Wait until the frame has left; pyserial's own `flush` has no time limit."""
    until = monotonic() + _WRITE_S
    while port.out_waiting:
        if monotonic() > until:
            raise serial.SerialTimeoutException("the line takes nothing")
        time.sleep(_DRAIN_POLL_S)
