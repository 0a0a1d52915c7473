"""What a relay board understands, by relay and input, in the words of its profile."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from gatekeeper.config import (
    BoardSettings,
    CoilFlash,
    CommandPulse,
    RegisterFlash,
    TimedPulse,
)
from gatekeeper.drivers.bus import Bus
from gatekeeper.drivers.frames import CoilWrite
from gatekeeper.drivers.session import Session, Urgency

_READ: dict[int, Callable[..., ModbusPDU]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
}


@asynccontextmanager
async def open_device(bus: Bus, settings: BoardSettings) -> AsyncIterator["Device"]:
    """A board on its bus for as long as the context lasts, or until it fails."""
    device = Device(bus, settings)
    async with bus.carrying(device):
        yield device


class Device(Session):
    """The requests a relay board understands; all of them raise as `ask` does."""

    @property
    def name(self) -> str:
        """The board's name."""
        return self._settings.name

    @property
    def times_pulses(self) -> bool:
        """Whether the board itself ends a pulse."""
        return not isinstance(self._settings.profile.pulse, TimedPulse)

    async def read_inputs(self, *, urgency: Urgency, deadline: float) -> tuple[bool, ...]:
        """All inputs. A board without any is asked for its relays instead: it has to answer."""
        inputs, count = self._settings.profile.inputs, self._settings.inputs
        if count == 0:
            await self.read_coils(0, self._settings.coils, urgency=urgency, deadline=deadline)
            return ()
        request = _READ[inputs.read](address=inputs.first, count=count, dev_id=self._unit)
        what = f"reading {count} inputs from {inputs.first} (FC{inputs.read:02})"
        answer = await self.ask(request, what, urgency=urgency, deadline=deadline)
        return tuple(answer.bits[:count])

    async def read_coils(
        self, first: int, count: int, *, urgency: Urgency, deadline: float
    ) -> tuple[bool, ...]:
        """Relays `first` to `first` + `count` - 1."""
        coils = self._settings.profile.coils
        request = _READ[coils.read](address=coils.first + first, count=count, dev_id=self._unit)
        what = f"reading {count} coils from {first} (FC{coils.read:02})"
        answer = await self.ask(request, what, urgency=urgency, deadline=deadline)
        return tuple(bool(on) for on in (answer.bits or answer.registers)[:count])

    async def write_coil(self, coil: int, on: bool, *, urgency: Urgency, deadline: float) -> None:
        """Switch a relay; returns when the board has echoed address and value."""
        coils = self._settings.profile.coils
        request = self._write(coil, coils.on if on else coils.off)
        what = f"switching coil {coil} {'on' if on else 'off'} (FC{coils.write:02})"
        await self.ask(request, what, urgency=urgency, deadline=deadline)

    async def pulse(self, coil: int, pulse_ms: int, *, urgency: Urgency, deadline: float) -> None:
        """Switch a relay on, for so long where the board `times_pulses`; returns when the board has
        echoed what it was told.
        """
        if not self.times_pulses:
            return await self.write_coil(coil, True, urgency=urgency, deadline=deadline)
        request = self._flash(coil, pulse_ms)
        what = f"flashing coil {coil} on for {pulse_ms} ms (FC{request.function_code:02})"
        await self.ask(request, what, urgency=urgency, deadline=deadline)
        return None

    def _flash(self, coil: int, pulse_ms: int) -> ModbusPDU:
        match self._settings.profile.pulse:
            case CoilFlash(first=first, unit_ms=unit):
                return CoilWrite(first + coil, _units(pulse_ms, unit), self._unit)
            case RegisterFlash(first=first, step=step, mode=mode, unit_ms=unit):
                return WriteMultipleRegistersRequest(
                    address=first + coil * step,
                    registers=[mode, _units(pulse_ms, unit)],
                    dev_id=self._unit,
                )
            case CommandPulse(word=word):
                return self._write(coil, word)
            case TimedPulse():
                return self._write(coil, self._settings.profile.coils.on)

    def _write(self, coil: int, word: int) -> ModbusPDU:
        coils = self._settings.profile.coils
        address = coils.first + coil
        if coils.write == 5:
            return CoilWrite(address, word, self._unit)
        return WriteSingleRegisterRequest(address=address, registers=[word], dev_id=self._unit)

    @property
    def _unit(self) -> int:
        return self._settings.unit


def _units(pulse_ms: int, unit_ms: int) -> int:
    """How a board counts a pulse; 0 would never end, or never switch."""
    return max(1, round(pulse_ms / unit_ms))
