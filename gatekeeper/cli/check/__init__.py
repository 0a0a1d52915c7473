"""`gatekeeper check FILE`: every fault of a configuration at once, before it stops a gate; what is
unwise; and what is wrong with each file that it names.
"""

import json
from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def check(file: Path, as_json: bool) -> None:
    """Check a configuration file, and the files it names: passwords, certificates, networks,
    folders, ports. Faults end with exit code 1, warnings do not.
    """
    from gatekeeper import config
    from gatekeeper.cli.check.findings import found

    settings = config.load(file)
    for kind, said in found(settings, file):
        print(json.dumps({kind: said}, ensure_ascii=False) if as_json else f"{kind}: {said}")
    lanes = [lane.name for lane in settings.lane]
    if as_json:
        print(json.dumps({"file": str(file), "lanes": lanes}, ensure_ascii=False))
    else:
        print(f"{file}: good, {len(lanes)} lanes: {', '.join(lanes)}")
