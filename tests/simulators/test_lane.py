"""Barriers, loops and vehicles: what a board's program tells of them."""

from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators import board

FAST = ("--speed=20", "--patience=30")
FULL = "--lane=in:coil=0,hold=1,close=2,arrival=0,safety=1,photocell=2,boom_up=3"
THERE_AND_BACK = (
    "--lane=in:coil=0,arrival=0,safety=1,boom_up=2",
    "--lane=out:coil=0,arrival=3,safety=1,boom_up=2",
)


class Site:
    """A program, and a client of its board."""

    def __init__(self, program: Any, client: AsyncModbusTcpClient) -> None:
        self.program = program
        self._client = client

    async def write(self, coil: int, on: bool) -> None:
        assert not (await self._client.write_coil(coil, on, device_id=1)).isError()

    async def let(self, lane: str, command: str) -> None:
        """A vehicle does something under a boom that is opened for it."""
        self.program.type(f"arrive {lane}")
        self.program.type(f"#let {command} {lane}")
        await self.write(0, True)
        await self.program.said("boom", lane=lane, state="up")
        await self.write(0, False)
        answer = await self.program.hear(lambda said: said.get("tag") == "let")
        assert answer["said"] == "done"

    async def lane(self, name: str) -> Any:
        return (await self.program.do("state"))["lanes"][name]

    def inputs(self, *wanted: int) -> list[tuple[int, bool]]:
        return [
            (said["input"], said["on"])
            for said in self.program.news
            if said["said"] == "input" and said["input"] in wanted
        ]

    def of(self, word: str, lane: str) -> list[Any]:
        return [
            said.get("state")
            for said in self.program.news
            if said["said"] == word and said.get("lane") == lane
        ]


@pytest.fixture
async def site(start: Any) -> Any:
    clients = []

    async def build(*options: str) -> Site:
        program = await start("board", *options, *FAST)
        port = (await program.said("listening"))["port"]
        client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=30, retries=0)
        assert await client.connect()
        clients.append(client)
        return Site(program, client)

    yield build
    for client in clients:
        client.close()


async def test_the_hold_relay_keeps_the_boom_up_until_it_is_released(site: Any) -> None:
    one = await site(FULL)
    await one.write(1, True)
    await one.program.said("boom", state="up")
    await one.write(0, True)
    await one.write(0, False)
    await one.write(2, True)
    assert (await one.lane("in"))["boom"] == "up", "a closing pulse does not beat it"
    await one.write(2, False)
    await one.write(1, False)
    await one.program.said("boom", state="down")
    assert one.of("boom", "in") == ["rising", "up", "falling", "down"]


async def test_a_vehicle_under_the_boom_keeps_it_up_against_the_closing_relay(site: Any) -> None:
    one = await site(FULL)
    await one.let("in", "halt")
    await one.write(2, True)
    state = await one.lane("in")
    assert (state["boom"], state["safety"], state["arrival"]) == ("up", True, False)

    await one.program.do("go in")
    await one.program.said("boom", state="down")
    assert one.of("struck", "in") == []
    assert one.inputs(1, 2) == [(1, True), (2, True), (1, False), (2, False)]


async def test_a_vehicle_may_back_out_from_under_the_boom(site: Any) -> None:
    one = await site(FULL)
    await one.let("in", "halt")
    await one.program.do("back in")
    await one.program.do("back in")
    assert one.inputs(0, 1) == [(0, True), (1, True), (0, False), (0, True), (1, False), (0, False)]


async def test_a_dead_safety_loop_and_a_closing_relay_strike_a_vehicle(site: Any) -> None:
    one = await site("--lane=in:coil=0,close=2,arrival=0,safety=1")
    await one.program.do("stick 1 off")
    await one.let("in", "halt")
    await one.write(2, True)
    await one.program.said("struck", lane="in")


async def test_a_loop_that_is_stuck_on_keeps_the_boom_up_until_it_is_free(site: Any) -> None:
    one = await site(FULL)
    await one.program.do("stick 1 on")
    await one.let("in", "cross")
    assert one.inputs(1) == [(1, True)]
    assert (await one.lane("in"))["boom"] == "up"
    await one.program.do("stick 1 free")
    await one.program.said("boom", state="down")


async def test_a_stuck_boom_does_not_rise_and_a_hand_lifts_a_free_one(site: Any) -> None:
    one = await site(FULL)
    await one.program.do("boom in stuck")
    await one.write(0, True)
    await one.write(0, False)
    assert (await one.lane("in"))["angle"] == 0
    await one.program.do("boom in free")
    await one.program.do("lift in")
    await one.program.said("boom", state="up")


async def test_a_welded_relay_holds_the_boom_up_though_its_coil_reads_off(site: Any) -> None:
    one = await site(FULL)
    await one.program.do("relay 0 welded")
    await one.program.said("boom", state="up")
    assert (await one.program.do("coils"))["coils"][0] is False
    await one.program.do("relay 0 free")
    await one.program.said("boom", state="down")


async def test_a_relay_that_sticks_on_reads_on_whatever_is_written(site: Any) -> None:
    one = await site(FULL)
    await one.program.do("relay 0 on")
    await one.write(0, False)
    assert (await one.program.do("coils"))["coils"][0] is True
    await one.program.said("boom", state="up")


async def test_a_reversible_lane_is_left_over_the_arrival_loop_of_the_other_side(site: Any) -> None:
    one = await site(*THERE_AND_BACK)
    await one.let("in", "cross")
    assert one.inputs(0, 1, 3) == [
        (0, True),
        (1, True),
        (0, False),
        (3, True),
        (1, False),
        (3, False),
    ]
    assert one.of("boom", "in")[:2] == one.of("boom", "out")[:2] == ["rising", "up"]


async def test_a_vehicle_that_waits_on_the_other_side_still_stands_there_afterwards(
    site: Any,
) -> None:
    one = await site(*THERE_AND_BACK)
    await one.program.do("arrive out")
    await one.let("in", "cross")
    assert one.inputs(3) == [(3, True)]
    assert (await one.lane("out"))["arrival"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--lane=in:coil=9",),
        ("--lane=in:coil=0,arrival=2.0",),
        ("--lane=in:coil=0,loop=1",),
        ("--lane=in:coil=0,arrival=0", "--lane=in:coil=1,arrival=1"),
        ("--lane=in:coil=0,safety=1", "--lane=out:coil=0,safety=2"),
        tuple(f"--lane={name}:coil=0" for name in "abc"),
        ("--unit=1:quick",),
        ("--unit=1:plain,relays=3",),
    ],
    ids=str,
)
def test_what_cannot_be_wired_is_a_wrong_command_line(wrong: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        board.main(wrong)
    assert ended.value.code == 2
