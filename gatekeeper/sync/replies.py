"""What the centre is told in reply to its orders, and where it may be told that."""

import structlog

from gatekeeper.health import Health
from gatekeeper.model import OrderAnswer
from gatekeeper.sync import wire
from gatekeeper.sync.credentials import LinkError
from gatekeeper.sync.message import Message, PublishError
from gatekeeper.sync.topics import Topics

log = structlog.get_logger(__name__)

_SHOWN = 120
"""Characters of a topic that are told."""


class Replies:
    """Used from the loop's thread. A reply that is lost is no error: the outbox tells it too."""

    def __init__(self, topics: Topics, health: Health) -> None:
        self._topics, self._health = topics, health

    async def send(self, answer: OrderAnswer, message: Message) -> None:
        """Reply to an order, where it asks for that; only when it is acknowledged, for a reply that
        costs the connection must not bring the order back again and again.
        """
        topic = message.response_topic
        if not topic:  # an empty one would be against the protocol, too
            return
        if not self._topics.may_answer(topic):
            self._refused(answer, topic, "it is neither below this controller's name nor centre/")
            return
        try:
            await message.connection.publish(
                topic, wire.answer(answer), correlation=message.correlation
            )
        except LinkError as error:
            log.warning("order.answer_not_sent", order=answer.order, error=str(error))
        except PublishError as error:
            self._refused(answer, topic, str(error))
        else:
            self._health.clear_alarm("reply_refused", "centre")

    def _refused(self, answer: OrderAnswer, topic: str, why: str) -> None:
        where = repr(topic[:_SHOWN])
        log.warning("order.answer_refused", order=answer.order, topic=where, error=why)
        self._health.raise_alarm("reply_refused", "centre", f"no reply on {where}: {why}")
