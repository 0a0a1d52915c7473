"""Logging: event names with fields, to stderr, where systemd's journal takes it up.

Libraries that log in their own way come through the same door, from warnings on.
"""

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, tzinfo
from functools import partial
from typing import Any

import structlog

from gatekeeper.clock import wall


def log_to_stderr(*, as_json: bool, zone: tzinfo = UTC) -> None:
    """Lines for people on a terminal, JSON lines elsewhere or where `as_json` asks for them. Each
    says its time in `zone`, with the offset.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        partial(_stamped, zone),
        structlog.processors.format_exc_info,
    ]
    to_json = as_json or not sys.stderr.isatty()
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if to_json
        else structlog.dev.ConsoleRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("gatekeeper").setLevel(logging.INFO)
    for told_already in ("pymodbus", "paho"):
        # What these complain of, the board and the link say in their own words, once.
        logging.getLogger(told_already).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _stamped(
    zone: tzinfo, _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    event["timestamp"] = wall().astimezone(zone).isoformat(timespec="milliseconds")
    return event
