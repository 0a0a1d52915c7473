"""What this gate knows of the rest of its site: marks of other controllers, standing orders."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from gatekeeper.model import Commit, Hold, PeerMark
from gatekeeper.store.facts import hold_of, to_json
from gatekeeper.store.schema import holds, peers, standing
from gatekeeper.store.statement import Statement

_LOCKDOWN = "lockdown"
_FIRE = "fire"

_MARK = Statement(insert(peers).prefix_with("OR REPLACE"))
_STAND = Statement(insert(standing).prefix_with("OR REPLACE"))
_HOLD = Statement(insert(holds).prefix_with("OR REPLACE"))
_COUNT = Statement(
    update(holds)
    .where(holds.c.lane == bindparam("of"), holds.c.order == bindparam("by"))
    .values(body=bindparam("now"))
)
_RELEASE = Statement(
    delete(holds).where(holds.c.lane == bindparam("of"), holds.c.order == bindparam("by"))
)


def save(connection: Connection, commit: Commit) -> None:
    """Write marks over those of the same controllers, holds over those of the same lane and
    order, and the standing orders unless None.
    """
    for mark in commit.marks:
        _MARK.run(
            connection, {"controller": mark.controller, "journal": mark.journal, "seq": mark.seq}
        )
    for lane, order in commit.released:
        _RELEASE.run(connection, {"of": lane, "by": order})
    for hold in commit.held:
        row = {"lane": hold.lane, "order": hold.order, "body": to_json(hold)}
        _HOLD.run(connection, row)
    for hold in commit.counted:
        _COUNT.run(connection, {"of": hold.lane, "by": hold.order, "now": to_json(hold)})
    for name, holding in ((_LOCKDOWN, commit.lockdown), (_FIRE, commit.fire)):
        if holding is not None:
            _STAND.run(connection, {"name": name, "holds": holding})


def peer_marks(connection: Connection) -> tuple[PeerMark, ...]:
    """The mark of each controller, by its name."""
    rows = connection.execute(select(peers).order_by(peers.c.controller))
    return tuple(
        PeerMark(controller=row.controller, journal=row.journal, seq=row.seq) for row in rows
    )


def lockdown(connection: Connection) -> bool:
    """Whether a lockdown was ordered and not lifted since."""
    return _stands(connection, _LOCKDOWN)


def fire(connection: Connection) -> bool:
    """Whether a fire input latched and has not been released since."""
    return _stands(connection, _FIRE)


def standing_holds(connection: Connection) -> tuple[Hold, ...]:
    """The holds that were ordered and are not over, by lane and order."""
    rows = connection.execute(select(holds.c.body).order_by(holds.c.lane, holds.c.order))
    return tuple(hold_of(row.body) for row in rows)


def _stands(connection: Connection, name: str) -> bool:
    holding = select(standing.c.holds).where(standing.c.name == name)
    return bool(connection.scalar(holding))
