"""Logs without personal data, and metrics of one or many processes."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadmill.core.faults import Permanent
from leadmill.runtime import telemetry
from leadmill.runtime.telemetry import about, log


def said(entry: dict[str, Any]) -> str:
    """An entry without its time, whose digits may be any."""
    return json.dumps({name: value for name, value in entry.items() if name != "timestamp"})


@pytest.fixture
def lines() -> Iterator[Any]:
    stream = io.StringIO()
    telemetry.configure("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    telemetry.configure("info")


def test_an_entry_is_one_json_line_with_the_leads_id(lines: Any) -> None:
    with about("lead_01k0000000000000000000000"):
        log("jobs").info("job done", kind="deliver", tries=2)
    log().debug("not shown")
    [entry] = lines()
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "event": "job done",
        "kind": "deliver",
        "tries": 2,
        "part": "jobs",
        "lead": "lead_01k0000000000000000000000",
        "level": "info",
    }


PERSONAL = [
    "ann.lee+x@example.com",
    "mail <ann@example.co.uk> bounced",
    "+1 (415) 555-0134",
    "call 415-555-0134 now",
    "(415) 555 0134",
    "4155550134",
    "+442071838750",
    "1-415-555-0134",
]


@pytest.mark.parametrize("text", PERSONAL)
def test_text_that_looks_personal_is_blanked_wherever_it_stands(lines: Any, text: str) -> None:
    log().info(text, note=text, deep={"list": [text, {"x": text}]}, odd=Path(text))
    [entry] = lines()
    shown = said(entry)
    for part in ("ann", "555", "2071838750"):
        assert part not in shown
    assert "[redacted]" in entry["note"]


@pytest.mark.parametrize("key", ["email", "Phone", "first_name", "ip", "fields", "body", "api_key", "landing_page"])
def test_keys_that_name_personal_data_are_blanked(lines: Any, key: str) -> None:
    log().info("x", **{key: "Ann"}, inner={key: {"a": "Ann"}})
    [entry] = lines()
    assert "Ann" not in json.dumps(entry)


HARMLESS = [
    "lead_01k5zv8e3h7x2m9q4r6t8w0y1z",
    "2026-03-04T15:00:00.123456Z",
    "2026-03-04 15:00:00",
    "127.0.0.1:8080",
    "order ord_5 of 1000000",
    "a3f9c2d4e5b6a7f8c9d0e1f2a3b4c5d6",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_not_personal_stays_readable(lines: Any, text: str) -> None:
    log().info("x", note=text)
    assert lines()[0]["note"] == text


def test_bytes_are_never_shown(lines: Any) -> None:
    log().info("x", blob=b"Ann")
    assert lines()[0]["blob"] == "[3 bytes]"


def test_a_foreign_exception_shows_its_type_and_place_but_not_its_text(lines: Any) -> None:
    try:
        raise ValueError("Ann Lee")
    except ValueError:
        log().exception("job failed")
    [entry] = lines()
    assert entry["fault"] == "ValueError"
    assert entry["where"][-1].startswith("test_telemetry:")
    assert "Ann" not in json.dumps(entry)


def test_a_fault_shows_its_code_and_detail(lines: Any) -> None:
    log().error("stopped", exc_info=Permanent("vault.key.destroyed", "this person has been forgotten"))
    [entry] = lines()
    assert (entry["code"], entry["detail"]) == ("vault.key.destroyed", "this person has been forgotten")


def test_libraries_logs_come_out_the_same_way(lines: Any) -> None:
    logging.getLogger("aiohttp.client").info("chatter")
    try:
        raise OSError("ann@example.com")
    except OSError:
        logging.getLogger("aiohttp.client").warning("lost %s", "ann@example.com", exc_info=True)
    [entry] = lines()
    assert entry["event"] == "lost [redacted]"
    assert entry["fault"] == "OSError"
    assert "ann@" not in json.dumps(entry)


def test_before_anything_is_configured_logs_go_to_standard_error() -> None:
    code = "from leadmill.runtime.telemetry import log; log().warning('x', email='a@b.example')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ran.stdout == ""
    assert json.loads(ran.stderr)["email"] == "[redacted]"


def test_one_process_answers_from_memory() -> None:
    telemetry.DELIVERIES.labels("accepted").inc()
    kind, body = telemetry.exposition()
    assert kind.startswith("text/plain")
    assert b'leadmill_deliveries_total{state="accepted"}' in body


def test_several_processes_answer_for_each_other(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "counter_1.db").write_bytes(b"left over")
    environment = telemetry.share_metrics(tmp_path)
    count = "from leadmill.runtime import telemetry as t; t.LEADS.labels('sold', 'src').inc(); "
    count += "t.INTAKE_SECONDS.labels('json').observe(0.01)"
    for code in (count, count, "from leadmill.runtime import telemetry as t; print(t.exposition()[1].decode())"):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": ":".join(sys.path), **environment},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
    assert 'leadmill_leads_total{source="src",state="sold"} 2.0' in ran.stdout
    assert 'leadmill_intake_seconds_count{channel="json"} 2.0' in ran.stdout
