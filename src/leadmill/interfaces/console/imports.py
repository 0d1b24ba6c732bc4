"""Files of leads: send one in, watch it go through, take the rows that could not be used home.

A file is read only after the session, the role and the form's secret, which is the form's first field: whoever may not
send one is answered before it comes.
"""

import csv
import io
import re
from pathlib import Path
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.params import FromPath

from leadmill.capture import ImportRun
from leadmill.capture.store import list_imports, read_faults
from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import looks_like
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import source_name, vertical_title
from leadmill.interfaces.dangers import check_origin
from leadmill.interfaces.wiring import FileGiven
from leadmill.parties import Right

MOST_BYTES = 256 << 20
"""The largest file taken here; bigger ones go through ``leadmill import``."""
_CHUNK = 1 << 20
_MOST_BEFORE = 4096
"""Bytes within which a form must have brought its secret."""
_SECRET = re.compile(rb'content-disposition: *form-data; *name="_csrf" *', re.IGNORECASE)
_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".jsonl", ".ndjson", ".parquet")
_SHOWN = 50


@get("/imports", include_in_schema=False)
async def imports_page(desk: NamedDependency[Desk]) -> Page:
    """The form and the latest imports."""
    return await _page(desk)


async def _page(desk: Desk, error: str = "") -> Page:
    async with desk.wiring.db.begin() as tx:
        runs = await list_imports(tx)
    rules = desk.wiring.rules
    return desk.show(
        "imports.html",
        "imports",
        status=422 if error else 200,
        error=error,
        runs=[_run(desk, run) for run in runs],
        may_import=desk.may(Right.IMPORT),
        sources=sorted((name, each.name) for name, each in rules.roster.sources.items() if not each.retired),
        verticals=sorted((name, each.title) for name, each in rules.verticals.items()),
        endings=", ".join(_ENDINGS),
        most=MOST_BYTES >> 20,
    )


def _run(desk: Desk, run: ImportRun) -> dict[str, Any]:
    rules = desk.wiring.rules
    rejected = {code.partition(".")[2]: n for code, n in run.counts.items() if code.startswith("rejected.")}
    share = 100 if run.state == "done" else min(99, run.next_row * 100 // run.total) if run.total else 0
    took = (run.changed_at - run.started_at).total_seconds()
    rate = run.next_row / took if took > 1 else 0
    left = (run.total - run.next_row) / rate if run.total and rate and run.state == "running" else None
    return {
        "id": run.id,
        "file": run.file_name,
        "source": source_name(rules, run.source_id),
        "vertical": vertical_title(rules, run.vertical),
        "state": run.state,
        "share": share,
        "read": run.next_row,
        "total": run.total,
        "counts": [(word, n) for word, n in run.counts.items() if "." not in word and n],
        "rejected": sorted(rejected.items(), key=lambda pair: -pair[1]),
        "rejects": sum(rejected.values()),
        "rate": round(rate),
        "left": _span(left) if left is not None else None,
        "started_at": run.started_at,
        "changed_at": run.changed_at,
    }


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"


@get("/imports/{import_id:str}", include_in_schema=False)
async def import_page(desk: NamedDependency[Desk], import_id: FromPath[str]) -> Page:
    """One import: how far it is, what became of its rows, and those that could not be used."""
    async with desk.wiring.db.begin() as tx:
        run = await _find(desk, tx, import_id)
        faults = await read_faults(tx, import_id, 0, _SHOWN)
    return desk.show("import.html", "imports", run=_run(desk, run), faults=faults, shown=_SHOWN)


@get("/imports/{import_id:str}/errors.csv", include_in_schema=False)
async def errors_file(desk: NamedDependency[Desk], import_id: FromPath[str]) -> Response[bytes]:
    """The rows that could not be used, by line, with what to do about each."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line", "code", "what to do"])
    async with desk.wiring.db.begin() as tx:
        await _find(desk, tx, import_id)
        after = 0
        while faults := await read_faults(tx, import_id, after, 1000):
            writer.writerows([fault.line, fault.code, fault.detail] for fault in faults)
            after = faults[-1].line
    return Response(
        out.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{import_id}-errors.csv"', "cache-control": "no-store"},
    )


async def _find(desk: Desk, tx: Any, import_id: str) -> ImportRun:
    run = next((run for run in await list_imports(tx, 500) if run.id == import_id), None)
    if run is None or not looks_like(import_id, "imp"):
        raise NotFound("capture.import.unknown", "there is no import of this id")
    return run


@post("/imports", include_in_schema=False, request_max_body_size=MOST_BYTES + (1 << 20))
async def take_file(desk: NamedDependency[Desk]) -> Page:
    """Keep the file and set it going; the rows are taken by the worker."""
    check_origin(desk.request.headers)
    desk.need(Right.IMPORT)
    data = await read_upload(desk)
    given = data.get("file")
    source_id, vertical = str(data.get("source", "")), str(data.get("vertical", ""))
    if not isinstance(given, UploadFile) or not given.filename:
        return await _page(desk, "Choose a file.")
    name = re.sub(r"[^\w.() -]", "_", given.filename)[-120:]
    if not name.lower().endswith(_ENDINGS):
        return await _page(desk, f"Send a file that ends in {', '.join(_ENDINGS)}.")
    source = desk.wiring.rules.roster.sources.get(source_id)
    if source is None:
        return await _page(desk, "Choose whose leads these are.")
    if vertical not in source.verticals:
        return await _page(desk, f"{source.name} sends no such leads; choose another vertical or source.")
    path = await _keep(desk, given, Path(name).suffix.lower())
    try:
        import_id = await desk.wiring.start_import(FileGiven(path, name, source_id, vertical, desk.who.id, desk.now))
    except BadInput as fault:
        return await _page(desk, fault.detail)
    return desk.back(f"/imports/{import_id}")


async def read_upload(desk: Desk) -> FormMultiDict:
    """The fields of the form and its file. Raises Forbidden ``console.form.stale`` as soon as the first field is
    another than the session's secret, and BadInput ``console.form.malformed`` where it is no such form."""
    request = desk.request
    kind, options = request.content_type
    if kind != RequestEncodingType.MULTI_PART or not options.get("boundary"):
        raise BadInput("console.form.malformed", "send the file with the form of this page")
    line = b"--" + options["boundary"].encode()
    coming = request.stream()
    begin = b""
    async for piece in coming:
        begin += piece
        if len(begin) > _MOST_BEFORE or begin.find(b"\r\n" + line, len(line)) > 0:
            break
    desk.check_secret(_first_field(begin[: _MOST_BEFORE + len(line)], line))

    async def receive() -> Any:
        nonlocal begin
        body, begin = begin or await anext(coming, b""), b""
        return {"type": "http.request", "body": body, "more_body": bool(body)}

    return await Request[Any, Any, Any](request.scope, receive).form()


def _first_field(begin: bytes, line: bytes) -> str:
    """The secret that a form begins with; nothing where its first field is another."""
    head, _, rest = begin.partition(b"\r\n\r\n")
    value, found, _ = rest.partition(b"\r\n" + line)
    named = head.startswith(line) and _SECRET.fullmatch(head[len(line) :].strip())
    return value.decode("utf-8", "replace") if named and found else ""


async def _keep(desk: Desk, given: UploadFile, ending: str) -> Path:
    folder = desk.wiring.home / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{desk.wiring.mint('upl', desk.now)}{ending}"
    size = 0
    try:
        with path.open("xb") as out:
            path.chmod(0o600)
            while chunk := await given.read(_CHUNK):
                size += len(chunk)
                if size > MOST_BYTES:
                    raise ClientException(detail="the file is too large", status_code=413)
                out.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


ROUTES = [imports_page, take_file, import_page, errors_file]
