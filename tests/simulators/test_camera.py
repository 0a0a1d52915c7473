import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
from aiohttp import ClientTimeout, DigestAuthMiddleware

SECRET = ("--user=gate", "--password=gate-secret")


async def address(camera: Any, lane: str = "in") -> str:
    return f"http://127.0.0.1:{(await camera.said('listening'))['port']}/{lane}/snapshot.jpg"


async def get(url: str, password: str | None = None, total_s: float = 30) -> tuple[int, bytes]:
    middlewares = () if password is None else (DigestAuthMiddleware("gate", password),)
    timeout = ClientTimeout(total=total_s)
    async with (
        aiohttp.ClientSession(middlewares=middlewares, timeout=timeout) as session,
        session.get(url) as answer,
    ):
        return answer.status, await answer.read()


def decoded(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


async def test_each_snapshot_is_a_jpeg_of_its_own(start: Any) -> None:
    camera = await start("camera")
    await camera.do("show in 闽C12345")
    url = await address(camera)

    pictures = [(await get(url))[1] for _ in range(3)]

    assert len(set(pictures)) == 3
    assert all(decoded(picture).shape == (720, 1280, 3) for picture in pictures)


async def test_lanes_see_different_things_and_a_cleared_one_sees_the_road(start: Any) -> None:
    camera = await start("camera")
    await camera.do("show in 闽C12345")

    def bluish(jpeg: bytes) -> bool:
        picture = decoded(jpeg).astype(int)
        return int(np.count_nonzero((picture[..., 0] > 160) & (picture[..., 2] < 90))) > 1000

    assert bluish((await get(await address(camera)))[1])
    assert not bluish((await get(await address(camera, "out")))[1])
    await camera.do("clear in")
    assert not bluish((await get(await address(camera)))[1])


async def test_a_car_drives_into_view_stands_and_leaves(start: Any) -> None:
    camera = await start("camera")
    url = await address(camera)
    camera.type("#car arrive in 闽C12345")
    await camera.do("state")
    coming = (await get(url))[1]
    assert (await camera.hear(lambda said: said.get("tag") == "car"))["plate"] == "闽C12345"
    standing = (await get(url))[1]
    assert np.abs(decoded(coming).astype(int) - decoded(standing)).mean() > 5

    await camera.do("leave in")
    assert (await camera.do("state"))["lanes"]["in"]["shows"] == ""
    assert (await camera.tell("leave in"))["detail"] == "there is no car"
    await camera.do("arrive in 闽C12345")
    await camera.do("back in")
    assert (await camera.do("state"))["lanes"]["in"]["shows"] == ""


async def test_the_car_that_comes_next_is_not_taken_for_the_one_that_leaves(start: Any) -> None:
    camera = await start("camera")
    await camera.do("show in 闽C12345")
    camera.type("#gone leave in")
    await camera.do("show in 闽C54321")
    await camera.hear(lambda said: said.get("tag") == "gone")
    assert (await camera.do("state"))["lanes"]["in"]["shows"] == "闽C54321"


async def test_the_weather_is_what_it_was_said_to_be(start: Any) -> None:
    camera = await start("camera")
    url = await address(camera)
    day = decoded((await get(url))[1]).mean()

    told = await camera.do("weather in night=0.9 rain")

    assert told["weather"] == {"night": 0.9, "rain": 0.3}
    assert decoded((await get(url))[1]).mean() < day / 2
    assert (await camera.do("weather in clear"))["weather"] == {}


async def test_a_photograph_is_shown_a_little_different_each_time(
    start: Any, tmp_path: Path
) -> None:
    camera = await start("camera")
    cv2.imwrite(str(tmp_path / "a car.png"), np.full((480, 640, 3), 200, np.uint8))
    await camera.do(f"picture in {tmp_path / 'a car.png'}")
    url = await address(camera)

    one, two = [(await get(url))[1] for _ in range(2)]

    assert one != two
    assert decoded(one).shape == (480, 640, 3)
    assert (await camera.do("state"))["lanes"]["in"] == {
        "shows": "a car.png",
        "taken": 2,
        "fault": "none",
        "weather": {},
    }


async def test_a_folder_of_photographs_is_gone_through_by_name(start: Any, tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        cv2.imwrite(str(tmp_path / name), np.full((48, 64, 3), 200, np.uint8))
    (tmp_path / "note.txt").write_text("no picture", encoding="utf-8")
    camera = await start("camera", f"--pictures={tmp_path}")

    shown = [Path((await camera.do("next in"))["picture"]).name for _ in range(3)]

    assert shown == ["a.png", "b.png", "a.png"]


async def test_digest_lets_in_who_knows_the_password_and_no_one_else(start: Any) -> None:
    camera = await start("camera", *SECRET)
    url = await address(camera)

    assert (await get(url, "gate-secret"))[0] == 200
    assert (await get(url, "wrong"))[0] == 401
    assert (await get(url))[0] == 401
    assert (await get(url + "?channel=1", "gate-secret"))[0] == 200


async def test_a_digest_is_good_again_for_the_same_nonce_and_for_no_other_address(
    start: Any,
) -> None:
    camera = await start("camera", *SECRET)
    url = await address(camera)
    digest = DigestAuthMiddleware("gate", "gate-secret")
    async with aiohttp.ClientSession(middlewares=(digest,)) as session:
        async with session.get(url) as answer:
            used = answer.request_info.headers["Authorization"]
        async with session.get(url) as answer:
            assert answer.status == 200
    async with (
        aiohttp.ClientSession(headers={"Authorization": used}) as session,
        session.get(url.replace("/in/", "/out/")) as answer,
    ):
        assert answer.status == 401


@pytest.mark.parametrize(
    "path",
    ["/in/ISAPI/Streaming/channels/101/picture", "/in/cgi-bin/snapshot.cgi?channel=1"],
    ids=["Hikvision", "Dahua"],
)
async def test_the_paths_of_the_common_makes_give_the_picture_too(start: Any, path: str) -> None:
    camera = await start("camera", *SECRET)
    url = (await address(camera)).replace("/in/snapshot.jpg", path)

    assert (await get(url))[0] == 401
    status, body = await get(url, "gate-secret")
    assert (status, decoded(body).shape) == (200, (720, 1280, 3))


async def test_a_stale_nonce_is_said_to_be_stale_and_the_password_opens_again(start: Any) -> None:
    camera = await start("camera", *SECRET)
    url = await address(camera)
    digest = DigestAuthMiddleware("gate", "gate-secret")
    async with aiohttp.ClientSession(middlewares=(digest,)) as session:
        async with session.get(url) as answer:
            used = answer.request_info.headers["Authorization"]
        await camera.do("expire")
        async with session.get(url) as answer:
            assert answer.status == 200
    async with (
        aiohttp.ClientSession(headers={"Authorization": used}) as session,
        session.get(url) as answer,
    ):
        assert answer.status == 401
        assert "stale=true" in answer.headers["WWW-Authenticate"]


async def test_a_frozen_camera_sends_the_same_bytes_and_a_black_one_black(start: Any) -> None:
    camera = await start("camera")
    await camera.do("show in 闽C12345")
    url = await address(camera)
    _, before = await get(url)

    await camera.do("fault in freeze")
    assert await get(url) == await get(url) == (200, before)
    await camera.do("fault in black")
    assert decoded((await get(url))[1]).max() == 0
    await camera.do("fault in none")
    assert (await get(url))[1] != before


async def test_a_hanging_camera_answers_no_one_and_still_ends_with_its_stdin(start: Any) -> None:
    camera = await start("camera")
    await camera.do("fault in hang")
    url = await address(camera)
    with pytest.raises(TimeoutError):
        await get(url, total_s=0.1)

    waiting = asyncio.create_task(get(url))
    assert (await get(await address(camera, "out")))[0] == 200
    assert await camera.end() == 0
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_garbage_is_no_picture_and_slow_and_401_are_what_they_say(start: Any) -> None:
    camera = await start("camera")
    url = await address(camera)
    await camera.do("fault in garbage")
    status, body = await get(url)
    assert (status, decoded(body)) == (200, None)

    await camera.do("fault in half")
    assert not (await get(url))[1].endswith(b"\xff\xd9")

    await camera.do("fault in 401")
    assert (await get(url))[0] == 401
    await camera.do("fault in slow 300")
    with pytest.raises(TimeoutError):
        await get(url, total_s=0.1)
    assert (await get(url))[0] == 200


async def test_what_cannot_be_shown_is_an_error(start: Any) -> None:
    camera = await start("camera")
    for command in (
        "show in 闽C1234",
        "show in 闽C12345 pink",
        "picture in nowhere.jpg",
        "fault in slow",
        "fault in freeze 3",
        "fault in dead",
        "weather in hail",
        "weather in rain=2",
        "back in",
        "expire",
    ):
        assert (await camera.tell(command))["said"] == "error"


async def pictures_of(answer: aiohttp.ClientResponse, count: int) -> list[bytes]:
    parts = aiohttp.MultipartReader.from_response(answer)
    pictures: list[bytes] = []
    while len(pictures) < count:
        part = await parts.next()
        assert isinstance(part, aiohttp.BodyPartReader)
        pictures.append(bytes(await part.read()))
    return pictures


async def test_a_stream_gives_pictures_without_end_and_none_while_it_hangs(start: Any) -> None:
    camera = await start("camera", "--mjpeg=20")
    url = (await address(camera)).replace("snapshot.jpg", "video.mjpg")
    async with aiohttp.ClientSession(timeout=ClientTimeout(total=30)) as session:
        async with session.get(url) as answer:
            pictures = await pictures_of(answer, 3)
        await camera.do("fault in hang")
        async with session.get(url) as answer:
            more = asyncio.create_task(pictures_of(answer, 1))
            assert not (await asyncio.wait([more], timeout=0.3))[0]
            await camera.do("fault in none")
            pictures += await more

    assert len(set(pictures)) == 4
    assert all(decoded(picture).shape == (720, 1280, 3) for picture in pictures)


async def test_there_is_no_stream_unless_it_is_asked_for(start: Any) -> None:
    camera = await start("camera")
    url = (await address(camera)).replace("snapshot.jpg", "video.mjpg")
    assert (await get(url))[0] == 404
