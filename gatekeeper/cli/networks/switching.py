"""`gatekeeper networks install` and `use`: a new set, tried before anything changes."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("source", metavar="ARCHIVE_OR_FOLDER", type=click.Path(path_type=Path))
def install(file: Path, source: Path) -> None:
    """Take in a set from a folder, a zip or a tar archive: offline, verified and tried on golden
    pictures. It does not become live by that.
    """
    from gatekeeper import config
    from gatekeeper.app.recognition import self_test_of, sets_of

    settings = config.load(file)
    installed = sets_of(settings).install(source, self_test_of(settings))
    told = installed.manifest
    print(f"{told.name} {told.version}: installed in {installed.folder}")
    print(f"to read with it: gatekeeper networks use {told.name}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name")
def use(file: Path, name: str) -> None:
    """Read with this set from the controller's next start on. It is verified and tried first; where
    that fails, the one that was live still is.
    """
    from gatekeeper import config
    from gatekeeper.app.recognition import self_test_of, sets_of

    settings = config.load(file)
    sets = sets_of(settings)
    before = sets.live
    sets.use(name, self_test_of(settings))
    if name == before:
        print(f"{name}: is live already")
        return
    print(f"{name}: live from the next start on, in place of {before}")
    print("to start the controller again: systemctl restart gatekeeper")
