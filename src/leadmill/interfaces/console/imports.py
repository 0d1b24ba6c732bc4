"""Files of leads: send one in, watch it go through, take the rows that could not be used home."""

import csv
import io
import re
from pathlib import Path
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import ClientException
from litestar.params import Body, FromPath

from leadmill.capture import ImportRun
from leadmill.capture.store import list_imports, read_faults
from leadmill.core.faults import BadInput, Forbidden, NotFound
from leadmill.core.ids import looks_like
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.console.lists import source_name, vertical_title
from leadmill.interfaces.wiring import FileGiven
from leadmill.parties import Right

MOST_BYTES = 256 << 20
"""The largest file taken here; bigger ones go through ``leadmill import``."""
_CHUNK = 1 << 20
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
async def take_file(
    desk: NamedDependency[Desk], data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
) -> Page:
    """Keep the file and set it going; the rows are taken by the worker."""
    if desk.request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("console.form.foreign", "the form was sent from another site")
    desk.check_secret(str(data.get("_csrf", "")))
    desk.need(Right.IMPORT)
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
        path.unlink(missing_ok=True)
        return await _page(desk, fault.detail)
    return desk.back(f"/imports/{import_id}")


async def _keep(desk: Desk, given: UploadFile, ending: str) -> Path:
    folder = desk.wiring.home / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{desk.wiring.mint('upl', desk.now)}{ending}"
    size = 0
    with path.open("xb") as out:
        while chunk := await given.read(_CHUNK):
            size += len(chunk)
            if size > MOST_BYTES:
                path.unlink()
                raise ClientException(detail="the file is too large", status_code=413)
            out.write(chunk)
    path.chmod(0o600)
    return path


ROUTES = [imports_page, take_file, import_page, errors_file]
