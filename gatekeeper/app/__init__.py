"""The composition root: builds the rooms from a configuration, supervises them, and ends well."""

from gatekeeper.app.configuration import to_run_by
from gatekeeper.app.daemon import run
from gatekeeper.app.logs import log_to_stderr

__all__ = ["log_to_stderr", "run", "to_run_by"]
