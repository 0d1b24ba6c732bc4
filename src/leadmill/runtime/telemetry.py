"""What the program says of itself: logs for people and machines, metrics for Prometheus.

Called by everybody who has something to say; set up once in ``main`` with :func:`configure`. Logs are JSON lines on
standard error, with the lead's id bound by :func:`about` and never a personal value: keys that name personal data are
blanked, text that looks like an e-mail address or a telephone number is blanked wherever it stands, and an exception
appears by type, code and place, without its message unless it is one of our own. Metrics are the module's constants;
label values come from closed sets, never from input.

With several processes (``serve --workers``) the parent calls :func:`share_metrics` before it starts them: each
process then keeps its figures in a memory-mapped file under ``home/metrics`` and any of them can answer a scrape for
all. A single process keeps them in memory.
"""

import logging
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from leadmill.core.faults import Fault

# ---- metrics --------------------------------------------------------------------------------------------------------

_FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

LEADS = Counter(
    "leadmill_leads", "Leads decided, by where they stand and the source they came from.", ["state", "source"]
)
PINGS = Counter("leadmill_pings", "Pings answered, by outcome (bid, no_bid) and source.", ["outcome", "source"])
STEP_SECONDS = Histogram(
    "leadmill_step_seconds",
    "Time a step took for one lead; of leads that walk together, the mean.",
    ["step"],
    buckets=_FAST,
)
GROUP_LEADS = Histogram(
    "leadmill_group_leads", "Leads in one commit group.", buckets=(1, 2, 5, 10, 20, 30, 40, 50, 75, 100, 200)
)
INTAKE_SECONDS = Histogram(
    "leadmill_intake_seconds", "Time from a request's arrival to its answer.", ["channel"], buckets=_SLOW
)
DELIVERIES = Counter("leadmill_deliveries", "Delivery attempts settled, by the state they led to.", ["state"])
OPT_OUTS = Counter(
    "leadmill_opt_outs",
    "Opt-outs heard, by how they came and what came of them: recorded, doubtful, repeated.",
    ["channel", "outcome"],
)
OPT_OUT_NOTICES = Counter(
    "leadmill_opt_out_notices",
    "Recipients told of an opt-out, by outcome: told, acknowledged, failed, given_up.",
    ["outcome"],
)
RETENTION = Counter(
    "leadmill_retention",
    "What runs of the retention schedules found, by what it is and outcome: went, held, law, busy, waits, failed.",
    ["what", "outcome"],
)
RETENTION_RAN = Gauge(
    "leadmill_retention_last_run_timestamp_seconds",
    "When the last run of the retention schedules ended.",
    multiprocess_mode="max",
)
DROPPED = Counter(
    "leadmill_deletion_list_entries",
    "Entries of deletion lists worked, by outcome: exempted, deleted, opted_out, not_found.",
    ["outcome"],
)
DROP_LAST = Gauge(
    "leadmill_deletion_list_last_pull_timestamp_seconds",
    "When the last deletion list that was worked through had been fetched.",
    multiprocess_mode="max",
)
JOBS = Counter(
    "leadmill_jobs", "Jobs worked, by kind and outcome: done, retried, dead, returned, lost.", ["kind", "outcome"]
)
JOB_SECONDS = Histogram("leadmill_job_seconds", "Time a job's handler took.", ["kind"], buckets=_SLOW)
JOBS_KEPT = Gauge(
    "leadmill_jobs_kept",
    "Jobs in the table, by kind and state: waiting, dead.",
    ["kind", "state"],
    multiprocess_mode="max",
)
REVIEW_CASES = Gauge(
    "leadmill_review_cases",
    "Leads that wait for a person on the review desk, by state: waiting, overdue.",
    ["state"],
    multiprocess_mode="max",
)
SCORING_ALERTS = Gauge(
    "leadmill_scoring_alerts",
    "Alerts about models at work that nobody has looked at, by vertical and kind.",
    ["vertical", "kind"],
    multiprocess_mode="max",
)
OUTGOING = Counter(
    "leadmill_outgoing_calls",
    "Outgoing calls, by class of host (buyer, provider, mail, file) and outcome.",
    ["host", "outcome"],
)
OUTGOING_SECONDS = Histogram("leadmill_outgoing_seconds", "Time an outgoing call took.", ["host"], buckets=_SLOW)
PROVIDER_ASKS = Counter(
    "leadmill_provider_asks",
    "Providers of facts, by outcome: known, unknown, failed, skipped.",
    ["provider", "outcome"],
)
PROVIDER_SECONDS = Histogram(
    "leadmill_provider_seconds", "Time a provider's answer took; remembered ones left out.", ["provider"], buckets=_SLOW
)
AUCTION_SECONDS = Histogram("leadmill_auction_seconds", "Time it took to ask buyers for bids.", buckets=_SLOW)
BIDS = Counter(
    "leadmill_bids", "Buyers asked for a bid, by outcome: bid, or the code of the reason for none.", ["outcome"]
)
PINGS_PAUSED = Gauge(
    "leadmill_pings_paused", "Buyers whose pings are paused after repeated failures.", multiprocess_mode="max"
)
COMMIT_SECONDS = Histogram(
    "leadmill_commit_seconds", "Time from the end of the work to a durable commit.", buckets=_FAST
)

_SHARED = "PROMETHEUS_MULTIPROC_DIR"


def share_metrics(home: Path) -> dict[str, str]:
    """Empty ``home/metrics`` and give the environment that makes started processes keep their figures there.

    The variable must be in a process's environment before this module is imported in it: hand it to the
    workers as they are started; the parent itself only answers for them.
    """
    folder = home / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return {_SHARED: str(folder)}


def forget_process(pid: int) -> None:
    """Drop the momentary figures of an ended worker; what it counted stays counted."""
    if _SHARED in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def exposition() -> tuple[str, bytes]:
    """The metrics of all processes in Prometheus' text format: content type and body."""
    registry = REGISTRY
    if _SHARED in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return CONTENT_TYPE_LATEST, generate_latest(registry)


# ---- logs -----------------------------------------------------------------------------------------------------------

LEVELS = ("debug", "info", "warning", "error")

_BLANK = "[redacted]"
# fmt: off
_PERSONAL = frozenset((
    "email", "e_mail", "phone", "mobile", "telephone", "tel", "fax", "first_name", "last_name", "full_name",
    "middle_name", "maiden_name", "address", "street", "address1", "address2", "city", "zip", "postcode",
    "postal_code", "ip", "remote_ip", "ip_address", "user_agent", "birth_date", "date_of_birth", "dob", "ssn",
    "fields", "consent", "body", "headers", "submission", "payload", "password", "secret", "token", "api_key",
    "authorization", "cookie", "to", "recipient_address", "url", "landing_page",
))
# fmt: on
_EMAIL = r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*"
_PHONE = r"(?<![\w.+-])(?:\+\d[\d ().-]{7,18}\d|(?:1[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4})(?![\w-])"
_LOOKS_PERSONAL = re.compile(f"{_EMAIL}|{_PHONE}")
_OURS = ("timestamp", "level", "lead")
_FRAMES = 12

Entry = MutableMapping[str, Any]


def redact(_logger: Any, _method: str, entry: Entry) -> Entry:
    """Blank personal keys and values of a log entry. A last net: callers do not log them in the first place."""
    for key, value in entry.items():
        if key not in _OURS:
            entry[key] = _BLANK if key.lower() in _PERSONAL else _clean(value)
    return entry


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _LOOKS_PERSONAL.sub(_BLANK, value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, Mapping):
        return {str(key): _BLANK if str(key).lower() in _PERSONAL else _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    return _LOOKS_PERSONAL.sub(_BLANK, str(value))


def _reduce_fault(_logger: Any, _method: str, entry: Entry) -> Entry:
    """Put an exception's type, code and place in the entry. Its text stays out: libraries quote values in theirs."""
    given = entry.pop("exc_info", None)
    entry.pop("exc_text", None)
    found = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(found, BaseException):
        entry["fault"] = type(found).__name__
        if isinstance(found, Fault):
            entry["code"], entry["detail"] = found.code, found.detail
        entry["where"] = _where(found.__traceback__)
    return entry


def _where(tb: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(tb)[-_FRAMES:]
    return [f"{Path(frame.filename).stem}:{frame.lineno} {frame.name}" for frame in frames]


def _render(_logger: Any, _method: str, entry: Entry) -> str:
    return msgspec.json.encode(entry, enc_hook=str).decode()


_COMMON: list[Callable[[Any, str, Any], Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _reduce_fault,
    redact,
]


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send our logs, and those of libraries, as JSON lines to ``stream`` (standard error). ``level`` is one of
    :data:`LEVELS`."""
    number = getattr(logging, level.upper())
    _configure_ours(number, stream)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_COMMON,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING) if number > logging.DEBUG else number)


def _configure_ours(number: int, stream: TextIO | None = None) -> None:
    structlog.configure(
        processors=[*_COMMON, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # Looked up when a logger is first used, because tests and servers swap standard error.
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


_configure_ours(logging.INFO)  # so that nothing goes to standard output, or goes unredacted, before `configure`


def log(part: str = "") -> Any:
    """A logger; ``part`` names the part of the program that speaks. ``log("jobs").info("job dead", kind=…,
    code=…)``."""
    return structlog.get_logger(part=part) if part else structlog.get_logger()


def about(lead_id: str) -> AbstractContextManager[Any]:
    """``with about(lead_id):`` every entry within, in this task and those it starts, carries the lead's id."""
    return structlog.contextvars.bound_contextvars(lead=lead_id)
