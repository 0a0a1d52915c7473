"""`gatekeeper networks list` and `verify`: what there is, and whether it is sound."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatekeeper.errors import NetworkSetError

USUAL = Path("/etc/gatekeeper/gatekeeper.toml")
"""The configuration of a gate, where no other file is named."""

if TYPE_CHECKING:
    from gatekeeper.networks import Manifest


@click.command("list")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def listing(file: Path, as_json: bool) -> None:
    """Show the sets of this gate, and which one is live (*); where no gate has been set up, those
    that come with the program.
    """
    from gatekeeper import config
    from gatekeeper.app.recognition import sets_of
    from gatekeeper.networks import BUILT_IN, SetsFolder

    fresh = file == USUAL and not file.exists()
    sets = SetsFolder(BUILT_IN, "clp") if fresh else sets_of(config.load(file))
    for name in sets.names():
        told: dict[str, Any] = {"name": name, "live": name == sets.live}
        try:
            told |= _about(sets.find(name).manifest)
        except NetworkSetError as error:
            told["fault"] = str(error)
        print(json.dumps(told, ensure_ascii=False) if as_json else _line(told))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_context
def verify(ctx: click.Context, file: Path, names: tuple[str, ...]) -> None:
    """Verify sets (all, if none is named): the sum of each file, the shapes of each network, and
    what they read in golden pictures. Exit code 1 if one is not sound.
    """
    from gatekeeper import config
    from gatekeeper.app.recognition import self_test_of, sets_of

    settings = config.load(file)
    sets, self_test = sets_of(settings), self_test_of(settings)
    sound = True
    for name in names or sets.names():
        try:
            self_test(sets.find(name))
        except NetworkSetError as error:
            sound = False
            print(f"{name}: {error}")
        else:
            print(f"{name}: good")
    ctx.exit(0 if sound else 1)


def _about(manifest: "Manifest") -> dict[str, Any]:
    return {
        "version": manifest.version,
        "licence": manifest.licence,
        "origin": manifest.origin,
        "certain": manifest.certain,
        "contracts": {
            "detector": manifest.detector.contract,
            "recogniser": manifest.recogniser.contract,
        },
        "measured": {kind: figures.model_dump() for kind, figures in manifest.measured.items()},
    }


def _line(told: dict[str, Any]) -> str:
    mark = "*" if told["live"] else " "
    if "fault" in told:
        return f"{mark} {told['name']:<16} {told['fault']}"
    measured = ", ".join(
        f"{kind} {figures['right']} of {figures['pictures']}"
        for kind, figures in told["measured"].items()
    )
    return (
        f"{mark} {told['name']:<16} {told['version']:<10} {told['licence']:<14}"
        f" certain {told['certain']:g}  {measured or told['origin']}"
    )
