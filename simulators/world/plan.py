"""How the world is: every rate of the simulation in one place."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Shares are 0..1; `_per_week` is a mean number in a week, of each lane, controller or site.

    Traffic: `leaving_per_hour` is the mean number of cars that leave the visitor zone in an hour
    of a weekday between 7:30 and 20:00; Saturdays and Sundays have `weekend` of it. `passers_by`
    is the share of arrivals at the site that want only the car park (with the default it is nearly
    half full at four in the afternoon); `parties` the share that bring a second car close behind.
    `visitors` to `blacklisted` are shares of approaches to the inner entry and sum up to 1.

    Reading: `misread_frames` and `blank_frames` are shares of frames. `persistent_misreads` is the
    share of cars whose dirt makes one character be read wrong, the same way and with high
    confidence, all day. `missed_entries` (of the outer and the inner gate) and `missed_exits` are
    the shares of crossings without one readable frame; a car that is `grimy` for a day is missed
    `grime` times as often as others. `second_plates` is the share of halts with somebody behind
    in which the next plate gets into the picture.

    Driving: of the halts with somebody queueing behind, `bumper_to_bumper` and `tailgating` are
    the shares in which the next one follows under the same opening, without and with a gap; an
    internal near its limit does so `hurry` times as often. `backing_out` is the share of cars that
    reverse out of an entry though the boom is up, `exit_reversals` likewise at an exit.

    Staff: `fleets` is the share of their cars that are an owner's with consecutive numbers; the
    rest are their own. `near_limit` and `overstays` are shares of internal stays. A refused one
    complains the next day, and comes off the blacklist `pardon_days` later.
    """

    leaving_per_hour: float = 30.0
    weekend: float = 0.3
    passers_by: float = 0.6
    parties: float = 0.1
    together: float = 0.4

    visitors: float = 0.62
    binders: float = 0.06
    unknown: float = 0.08
    internals: float = 0.22
    exempt: float = 0.01
    blacklisted: float = 0.01

    misread_frames: float = 0.02
    blank_frames: float = 0.03
    persistent_misreads: float = 0.003
    missed_entries: float = 0.01
    missed_exits: float = 0.01
    grimy: float = 0.03
    grime: float = 20.0
    second_plates: float = 0.1

    bumper_to_bumper: float = 0.005
    tailgating: float = 0.01
    hurry: float = 3.0
    backing_out: float = 0.01
    exit_reversals: float = 0.005

    fleets: float = 0.08
    near_limit: float = 0.05
    overstays: float = 0.10
    pardon_days: float = 3.0

    camera_deaths_per_week: float = 1.0
    power_cuts_per_week: float = 0.5
    clock_steps_per_week: float = 1.0
    broker_outages_per_week: float = 1.0
    staff_changes_per_week: float = 2.0
    bans_per_week: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise ValueError(f"{field.name} is {getattr(self, field.name)}: use 0 or more")
        if abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"the classes at the inner entry sum up to {sum(self.shares)}, not 1")

    @property
    def shares(self) -> tuple[float, ...]:
        """Of approaches to the inner entry, in the order of the fields above."""
        return (
            self.visitors,
            self.binders,
            self.unknown,
            self.internals,
            self.exempt,
            self.blacklisted,
        )
