"""Pictures of the simulation, as PNG. Matplotlib is imported here, and only when asked for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.simulate.ledger import Verdicts
from simulators.simulate.run import Diary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DAY_S, _HOUR_S = 86_400.0, 3_600.0


def day(diary: Diary, of: int, path: Path) -> None:
    """One day of the visitor zone (0 is the first): who was inside, and who was judged."""
    figure, (axes,) = _figure(1)
    begin, end = of * _DAY_S, (of + 1) * _DAY_S
    for label, series, line in (
        ("really inside", diary.really, "-"),
        ("counted by the gate", diary.counted, ":"),
    ):
        points = [(at, number) for at, number in series if begin <= at < end]
        hours = [(at - begin) / _HOUR_S for at, _ in points]
        axes.step(hours, [number for _, number in points], line, where="post", label=label)
    for label, moments, colour in (
        ("overstay, certain", diary.certain, "tab:red"),
        ("overstay, suspected", diary.suspected, "tab:orange"),
    ):
        at = [(moment - begin) / _HOUR_S for moment in moments if begin <= moment < end]
        axes.plot(at, [0.0] * len(at), "|", color=colour, markersize=16, label=label)
    axes.set(xlabel="hour of the day", ylabel="cars in the visitor zone", xlim=(6, 22))
    axes.set_title("A simulated day of the visitor zone")
    _save(figure, [axes], path)


def traffic(runs: Mapping[float, Verdicts], path: Path) -> None:
    """How certainty falls with the cars that leave the zone in an hour."""
    figure, (axes,) = _figure(1)
    hours = sorted(runs)
    shares = (("found", _found), ("certain", _certain), ("innocent stays suspected", _suspected))
    for label, share in shares:
        axes.plot(hours, [share(runs[hour]) for hour in hours], "o-", label=label)
    wrong = sum(each.wrong_blacklistings for each in runs.values())
    axes.set(xlabel="cars an hour that leave the visitor zone", ylabel="per cent", ylim=(0, 101))
    axes.set_title(f"Overstays by traffic; wrong blacklistings in all: {wrong}")
    _save(figure, [axes], path)


def sweep(runs: Mapping[tuple[float, float], Verdicts], path: Path) -> None:
    """Certainty over both fault rates, misread frames and missed exits; wrong ones as numbers."""
    figure, panels = _figure(2)
    misreads = sorted({misread for misread, _ in runs})
    missed = sorted({exits for _, exits in runs})
    wanted = (
        ("true overstays that are certain, per cent", _certain),
        ("wrong blacklistings", _wrong),
    )
    for axes, (title, value) in zip(panels, wanted, strict=True):
        grid = [[value(runs[misread, exits]) for misread in misreads] for exits in missed]
        axes.imshow(grid, origin="lower", aspect="auto", vmin=0, vmax=100, cmap="viridis")
        axes.set_xticks(range(len(misreads)), [f"{100 * rate:g}" for rate in misreads])
        axes.set_yticks(range(len(missed)), [f"{100 * rate:g}" for rate in missed])
        for row, line in enumerate(grid):
            for column, number in enumerate(line):
                colour = "black" if number > 60 else "white"
                axes.text(column, row, f"{number:.0f}", ha="center", va="center", color=colour)
        axes.set(xlabel="misread frames, per cent", ylabel="missed exits, per cent", title=title)
    _save(figure, [], path)


def _certain(verdicts: Verdicts) -> float:
    return 100 * verdicts.overstays_certain / max(1, verdicts.overstays_true)


def _found(verdicts: Verdicts) -> float:
    return _certain(verdicts) + 100 * verdicts.overstays_suspected / max(1, verdicts.overstays_true)


def _suspected(verdicts: Verdicts) -> float:
    return 100 * verdicts.innocent_suspected / max(1, verdicts.innocent_stays)


def _wrong(verdicts: Verdicts) -> float:
    return float(verdicts.wrong_blacklistings)


def _figure(panels: int) -> "tuple[Figure, list[Axes]]":
    import matplotlib as mpl

    mpl.use("Agg")  # no screen here
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, panels, figsize=(9 if panels == 1 else 13, 5), squeeze=False)
    return figure, list(axes[0])


def _save(figure: "Figure", with_legend: "Sequence[Axes]", path: Path) -> None:
    from matplotlib import pyplot

    for axes in with_legend:
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
