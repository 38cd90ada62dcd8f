"""JSON lines on a stream: what a node did, by ids, codes, heights. Never a body, a name, a key."""

import logging
import sys
from typing import TextIO

import structlog


def configure_logs(stream: TextIO | None = None, *, verbose: bool = False) -> None:
    """Send the process's log to `stream` (standard error), one JSON object a line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
