"""What this gate knows of the rest of its site: marks of other controllers, standing orders."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from gatekeeper.model import PeerMark
from gatekeeper.store.schema import peers, standing
from gatekeeper.store.statement import Statement

_LOCKDOWN = "lockdown"

_MARK = Statement(insert(peers).prefix_with("OR REPLACE"))
_STAND = Statement(insert(standing).prefix_with("OR REPLACE"))


def save(connection: Connection, marks: Sequence[PeerMark], lockdown: bool | None) -> None:
    """Write marks over those of the same controllers, and the standing order unless None."""
    for mark in marks:
        _MARK.run(
            connection, {"controller": mark.controller, "journal": mark.journal, "seq": mark.seq}
        )
    if lockdown is not None:
        _STAND.run(connection, {"name": _LOCKDOWN, "holds": lockdown})


def peer_marks(connection: Connection) -> tuple[PeerMark, ...]:
    """The mark of each controller, by its name."""
    rows = connection.execute(select(peers).order_by(peers.c.controller))
    return tuple(
        PeerMark(controller=row.controller, journal=row.journal, seq=row.seq) for row in rows
    )


def lockdown(connection: Connection) -> bool:
    """Whether the standing order holds."""
    holds = select(standing.c.holds).where(standing.c.name == _LOCKDOWN)
    return bool(connection.scalar(holds))
