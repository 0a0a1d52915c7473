"""The centre's orders: given to a controller, and awaited until it has answered."""

import asyncio
import json
import shlex
import uuid
from datetime import UTC, datetime, timedelta

from simulators.console import CommandError, Fields
from simulators.link import Link, Message
from simulators.registry import Body

ANSWER = ("order", "outcome", "detail")

_NOT_TEXT = ("count", "on", "minutes", "vehicles")
"""The fields of an order that are numbers, or yes and no."""


class Orders:
    """One site's orders; each is good, and awaited, for `patience_s`."""

    def __init__(self, link: Link, root: str, patience_s: float) -> None:
        self._link, self._root = link, root
        self._patience_s = patience_s
        self._open: dict[bytes, asyncio.Future[Body]] = {}

    async def give(self, controller: str, verb: str, fields: Body) -> Fields:
        """A new order of what `fields` say; the controller's answer to it."""
        given = now()
        expires = given + timedelta(seconds=self._patience_s)
        head: Body = {"id": str(uuid.uuid4()), "by": "centre", "reason": "", "at": written(given)}
        return await self.send(controller, verb, {**head, "expires_at": written(expires), **fields})

    async def send(self, controller: str, verb: str, body: Body) -> Fields:
        """An order as it stands; the correlation is new each time, also where it is replayed."""
        if not self._link.connected:
            raise CommandError("the broker is away")
        ticket = uuid.uuid4().bytes
        answer = self._open[ticket] = asyncio.get_running_loop().create_future()
        here = f"{self._root}/{controller}"
        self._link.ask(f"{here}/orders/{verb}", body, f"{here}/answers", ticket)
        try:
            async with asyncio.timeout(self._patience_s):
                told = await answer
        except TimeoutError:
            raise CommandError(f"order {body.get('id')}: no answer") from None
        finally:
            del self._open[ticket]
        return {**{name: told.get(name) for name in ANSWER}, "controller": controller}

    def hear(self, message: Message, body: Body) -> bool:
        """Whether the answer was awaited."""
        waiting = self._open.get(message.correlation or b"")
        if waiting is None or waiting.done():
            return False
        waiting.set_result(body)
        return True


def fields_of(text: str) -> Body:
    """`zone=hall count=7 on=true reason="by hand"`; raises `CommandError` and `ValueError`."""
    fields: Body = {}
    for word in shlex.split(text):
        name, equals, value = word.partition("=")
        if not equals:
            raise CommandError(f"{word}: must look like zone=hall")
        fields[name] = json.loads(value) if name in _NOT_TEXT else value
    return fields


def now() -> datetime:
    """What the centre's clock shows, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the centre has a clock of its own


def written(moment: datetime) -> str:
    """A moment in UTC as the wire writes it."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
