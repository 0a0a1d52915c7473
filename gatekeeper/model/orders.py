"""Orders, and what became of them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """What became of an order: `done`, `refused` (nothing was moved) or `unknown`."""

    order: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the centre asks for. `id` makes it happen once, however often it arrives.

    Which of the other fields a verb needs stands in docs/protocol.md. `at` is when it was given, by
    the centre's clock, if that is told. It must not be carried out after the moment `deadline` of
    the boot clock, which is set here, when it has been judged; None: there is no such moment.
    """

    id: str
    verb: str
    by: str
    reason: str
    expires_at: datetime
    at: datetime | None = None
    deadline: float | None = None
    lane: str | None = None
    passage: str | None = None
    zone: str | None = None
    plate: str | None = None
    count: int | None = None
    on: bool | None = None
    until: datetime | None = None
    minutes: int | None = None
    vehicles: int | None = None
    list: str | None = None

    def answered(self, outcome: str, detail: str = "") -> OrderAnswer:
        """The answer to this order."""
        return OrderAnswer(order=self.id, outcome=outcome, detail=detail)
