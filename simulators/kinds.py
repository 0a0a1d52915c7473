"""Relay boards that are not plain: their addresses, and how each is told to give a pulse.

Written from public register maps, not from the boards themselves. What a board here does is
what its map says; whether the board on a bench agrees is for the bench to say.
"""

import struct
from collections.abc import Callable, Mapping
from typing import ClassVar

from simulators.device import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    OFF,
    ON,
    Device,
    RefusalError,
    read_bits,
    read_registers,
    several,
    two_words,
    within,
)


class Waveshare(Device):
    """Waveshare Modbus RTU Relay: flash and toggle by function 05.

    https://www.waveshare.com/wiki/Modbus_RTU_Relay (protocol V3); the map stands also in
    nobrega8/mbmap-library. The board has no inputs; its sibling IO 8CH has eight.
    """

    _TOGGLE = 0x5500
    _ALL = 0x00FF
    _FLASH_ON, _FLASH_OFF = 0x0200, 0x0400
    _ADDRESS, _VERSION = 0x4000, 0x8000

    @property
    def functions(self) -> Mapping[int, Callable[[bytes], bytes]]:
        """The plain ones, and the holding registers of address and firmware version."""
        return {**super().functions, 0x03: self._read_registers}

    def _switch(self, address: int, value: int) -> None:
        if address == self._ALL:
            for relay in range(len(self.coils)):
                self._switch(relay, value)
        elif address >= self._FLASH_OFF:
            self._flash(address - self._FLASH_OFF, False, value / 10)
        elif address >= self._FLASH_ON:
            self._flash(address - self._FLASH_ON, True, value / 10)
        elif value == self._TOGGLE:
            self._set(address, not self.coils[within(address, self.coils)])
        else:
            super()._switch(address, value)

    def _read_registers(self, body: bytes) -> bytes:
        return read_registers(body, {self._ADDRESS: self.unit, self._VERSION: 200})


class Lc(Device):
    """LC Technology LC-Modbus-8R-D7: flash by function 10, two registers, mode and tenths of a
    second, at 3 + (N - 1) * 5 for relay N.

    The public map is marked unverified; holding register 0 is the device address.
    """

    FLASH_ON: ClassVar[int] = 2
    FLASH_OFF: ClassVar[int] = 4

    @property
    def functions(self) -> Mapping[int, Callable[[bytes], bytes]]:
        """The plain ones, the holding register, and the flash."""
        return {**super().functions, 0x03: self._read_registers, 0x10: self._write_flash}

    def _read_registers(self, body: bytes) -> bytes:
        return read_registers(body, {0: self.unit})

    def _write_flash(self, body: bytes) -> bytes:
        first, count, values = several(body)
        relay, beside = divmod(first - 3, 5)
        if beside or not 0 <= relay < len(self.coils):
            raise RefusalError(ILLEGAL_ADDRESS)
        if count != 2 or len(values) != 4:
            raise RefusalError(ILLEGAL_VALUE)
        mode, tenths = two_words(values)
        if mode not in (self.FLASH_ON, self.FLASH_OFF):
            raise RefusalError(ILLEGAL_VALUE)
        self._flash(relay, mode == self.FLASH_ON, tenths / 10)
        return self._echo(first, count)


class Juying(Lc):
    """Juying DAM (JYDAM): the same layout, documented with the mode words the other way round.

    A driver with the wrong words switches the relay off for the time, and then leaves it on.
    """

    FLASH_ON = 4
    FLASH_OFF = 2


class Eletechsup(Device):
    """eletechsup N4 and R4: no coils; register N is relay N, and a write is a command.

    High byte: 1 on, 2 off, 3 toggle, 4 this one alone, 5 on for a second, 6 on for as many seconds
    as the low byte says. Function 03 reads 1 for a relay that is on.
    """

    _MOMENT_S = 1.0

    @property
    def functions(self) -> Mapping[int, Callable[[bytes], bytes]]:
        """Registers only, and the optocoupler inputs where the board has some."""
        return {
            0x02: self._read_inputs,
            0x03: self._read_relays,
            0x06: self._write_register,
            0x10: self._write_registers,
        }

    def _read_relays(self, body: bytes) -> bytes:
        return read_registers(body, {relay: int(on) for relay, on in enumerate(self.coils, 1)})

    def _write_register(self, body: bytes) -> bytes:
        register, command = two_words(body)
        self._command(register - 1, command)
        return self._echo(register, command)

    def _write_registers(self, body: bytes) -> bytes:
        first, count, values = several(body)
        if not count or len(values) != 2 * count:
            raise RefusalError(ILLEGAL_VALUE)
        for at, command in enumerate(struct.unpack(f">{count}H", values)):
            self._command(first + at - 1, command)
        return self._echo(first, count)

    def _command(self, relay: int, command: int) -> None:
        if not 0 <= relay < len(self.coils):
            raise RefusalError(ILLEGAL_ADDRESS)
        match command >> 8:
            case 1 | 2 as word:
                self._set(relay, word == 1)
            case 3:
                self._set(relay, not self.coils[relay])
            case 4:
                for other in range(len(self.coils)):
                    self._set(other, other == relay)
            case 5:
                self._flash(relay, True, self._MOMENT_S)
            case 6:
                self._flash(relay, True, command & 0xFF)
            case _:
                raise RefusalError(ILLEGAL_VALUE)


class Zlan(Device):
    """ZLAN 6042 and 6002: inputs from 0 and outputs from 16, both read by function 01."""

    _OUTPUTS = 16

    @property
    def functions(self) -> Mapping[int, Callable[[bytes], bytes]]:
        """Reading by 01 and writing one output by 05; no pulse is known."""
        return {0x01: self._read_all, 0x05: self._write_one}

    def _read_all(self, body: bytes) -> bytes:
        if two_words(body)[0] < self._OUTPUTS:
            return read_bits(body, self.inputs)
        return read_bits(body, self.coils, self._OUTPUTS)

    def _switch(self, address: int, value: int) -> None:
        if address < self._OUTPUTS and value in (OFF, ON):
            raise RefusalError(ILLEGAL_ADDRESS)
        super()._switch(address - self._OUTPUTS, value)


KINDS: Mapping[str, type[Device]] = {
    "plain": Device,
    "waveshare": Waveshare,
    "lc": Lc,
    "juying": Juying,
    "eletechsup": Eletechsup,
    "zlan": Zlan,
}
"""By the name that the command line knows."""
