"""What is decided about a vehicle while the lists cannot be read (situations, 31)."""

from gatekeeper.model import Decision, Direction, Reason, Sighting, SiteState, VehicleClass, Verdict


def decide(
    sighting: Sighting | None, direction: Direction, site: SiteState, *, entries_admit: bool
) -> Decision:
    """Exits open all the same, and every lane whose boom is kept up; other entries where the site
    says so (`entries_admit`), but not in a lockdown. Who is read leaving is known without lists.
    """
    is_exit = direction is Direction.EXIT
    open_anyway = is_exit or site.fire or site.held_open
    admits = open_anyway or (entries_admit and not site.lockdown)
    return Decision(
        verdict=Verdict.ADMIT if admits else Verdict.REFUSE,
        reason=_reason(site, is_exit=is_exit),
        rule="store_failed",
        plate=sighting.plate if is_exit and sighting is not None else None,
        vehicle=VehicleClass.UNKNOWN,
        certain=False,
    )


def _reason(site: SiteState, *, is_exit: bool) -> Reason:
    if site.fire:
        return Reason.FIRE
    if site.held_open:
        return Reason.HELD_OPEN
    return Reason.LOCKDOWN if site.lockdown and not is_exit else Reason.STORE_FAILED
