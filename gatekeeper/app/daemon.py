"""The daemon: one controller on the real ports, from start to SIGTERM."""

import asyncio
import signal
from contextlib import AsyncExitStack

import structlog

from gatekeeper.app.configuration import Running, keep
from gatekeeper.app.controller import Controller
from gatekeeper.app.controlroom import ControlRoom
from gatekeeper.app.devices import RealDevices
from gatekeeper.app.ports import Ports
from gatekeeper.app.recognition import calibrated, open_recognition
from gatekeeper.app.wiring import link_of
from gatekeeper.clock import SystemClock
from gatekeeper.config import Config, warnings
from gatekeeper.control import ControlSocket
from gatekeeper.health import Health
from gatekeeper.store import Store, alone
from gatekeeper.store.pictures import Pictures

log = structlog.get_logger(__name__)


def run(running: Running) -> None:
    """Serve the gates until SIGTERM or SIGINT. Raises what keeps the controller from starting."""
    with alone(running.config.store.path, "the controller"):
        asyncio.run(_serve(running))


async def _serve(running: Running) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        controller = await opened(running.config, stack)
        if running.fault:
            controller.health.raise_alarm("configuration_refused", "configuration", running.fault)
        else:
            keep(running)
        room = ControlRoom(controller, running.config, SystemClock())
        control = ControlSocket(running.config.store.path, room.answer)
        await controller.serve(stop, [("control", control.run)])


async def opened(config: Config, stack: AsyncExitStack) -> Controller:
    """A controller on all that is real; `stack` lets go of it, last opened first."""
    clock = SystemClock()
    health = Health(clock)
    store = Store.at(config.store.path)
    stack.push_async_callback(store.close)
    recognition = await asyncio.to_thread(open_recognition, config)
    stack.callback(recognition.reader.close)
    config = calibrated(config, recognition.certain)
    ports = Ports(
        clock=clock,
        health=health,
        store=store,
        pictures=Pictures(config.store.pictures),
        reader=recognition.reader,
        devices=RealDevices,
        link=link_of,
    )
    controller = Controller(config, ports)
    stack.push_async_callback(controller.close)
    if recognition.fault:
        health.raise_alarm("networks_failed", "networks", recognition.fault)
    for warning in warnings(config, recognition.name):
        log.warning("config.warning", detail=warning)
    return controller
