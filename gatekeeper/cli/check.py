"""`gatekeeper check FILE`: every fault of a configuration at once, before it stops a gate."""

import json
from pathlib import Path

import click

from gatekeeper import config


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def check(file: Path, as_json: bool) -> None:
    """Check a configuration file: faults end with exit code 1, warnings do not."""
    settings = config.load(file)
    for warning in config.warnings(settings):
        if as_json:
            print(json.dumps({"warning": warning}, ensure_ascii=False))
        else:
            print(f"warning: {warning}")
    lanes = [lane.name for lane in settings.lane]
    if as_json:
        print(json.dumps({"file": str(file), "lanes": lanes}, ensure_ascii=False))
    else:
        print(f"{file}: good, {len(lanes)} lanes: {', '.join(lanes)}")
