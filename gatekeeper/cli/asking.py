"""How a command finds the controller that it asks."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gatekeeper.errors import ControlError

if TYPE_CHECKING:
    from gatekeeper.config import Config

USUAL = Path("/etc/gatekeeper/gatekeeper.toml")

_Command = TypeVar("_Command", bound=Callable[..., Any])


def of_config(command: _Command) -> _Command:
    """The configuration whose controller is meant: told, named by GATEKEEPER_CONFIG, or the usual
    one.
    """
    option = click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path),
        envvar="GATEKEEPER_CONFIG",
        default=USUAL,
        show_default=True,
        help="The configuration of the controller.",
    )
    return option(command)


def asked(settings: "Config", **question: object) -> dict[str, Any]:
    """The answer of the controller; raises `ControlError` where none runs."""
    from gatekeeper.control import ask

    answer = ask(settings.store.path, question)
    if answer is None:
        raise ControlError("the controller does not run: sudo systemctl start gatekeeper")
    return answer
