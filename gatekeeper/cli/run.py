"""`gatekeeper run FILE`: the daemon."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--log-json", is_flag=True, help="Log JSON lines even to a terminal.")
def run(file: Path, log_json: bool) -> None:
    """Run the controller by a configuration file, until SIGTERM or SIGINT."""
    from gatekeeper import app

    running = app.to_run_by(file)
    app.log_to_stderr(as_json=log_json, zone=running.config.timezone)
    app.run(running)
