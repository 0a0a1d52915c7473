"""The check sum of Modbus RTU, which the LED and voice boards use too."""


def crc16(frame: bytes) -> bytes:
    """Two bytes, low byte first (Modbus over Serial Line V1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")
