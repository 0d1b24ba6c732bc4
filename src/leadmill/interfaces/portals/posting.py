"""``/spec/{source}``: how a source posts its leads, for whoever has the link; as a page, as Markdown, as JSON.

The link carries its permission and ends when the source's key changes; without it there is nothing here. Made anew
from the packs for each request, so it never tells of fields or answers that are not.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from leadmill.capture import PLACEHOLDER, Posting, Sample, Vertical, example_values, posting_of
from leadmill.interfaces.links import may_read_posting
from leadmill.interfaces.portals.form import Leaflets
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Source

_JSON = {"Authorization": f"Bearer {PLACEHOLDER}", "Content-Type": "application/json"}
_LEAD_ANSWERS = (
    ("A lead that was sold.", {"status": "sold", "price": "45.50", "currency": "USD"}),
    ("The same person came before.", {"status": "duplicate"}),
    ("A lead that is of no use.", {"status": "rejected"}),
)
_NO_STORE = {"cache-control": "no-store"}


@get("/spec/{source_id:str}", include_in_schema=False, sync_to_thread=False)
def posting_page(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    leaflets: NamedDependency[Leaflets],
    source_id: FromPath[str],
) -> Response[str]:
    """The instructions as a page."""
    found = _find(request, wiring, source_id)
    if found is None:
        return _nothing(leaflets)
    token = request.query_params.get("t", "")
    html = leaflets.render(
        "posting.html",
        posting=found,
        base=_base(request),
        downloads=[(kind, f"/spec/{found.source}/{name}?t={token}") for kind, name in _DOWNLOADS],
    )
    return Response(html, media_type=MediaType.HTML, headers=_NO_STORE)


@get("/spec/{source_id:str}/posting.md", include_in_schema=False, sync_to_thread=False)
def posting_markdown(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    leaflets: NamedDependency[Leaflets],
    source_id: FromPath[str],
) -> Response[str]:
    """The instructions as Markdown."""
    found = _find(request, wiring, source_id)
    if found is None:
        return _nothing(leaflets)
    text = "\n".join(_markdown(found, _base(request))) + "\n"
    headers = _NO_STORE | {"content-disposition": f'attachment; filename="posting-{found.source}.md"'}
    return Response(text, media_type="text/markdown; charset=utf-8", headers=headers)


@get("/spec/{source_id:str}/posting.json", include_in_schema=False, sync_to_thread=False)
def posting_json(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    leaflets: NamedDependency[Leaflets],
    source_id: FromPath[str],
) -> Response[Any]:
    """The instructions as JSON, for programs."""
    found = _find(request, wiring, source_id)
    if found is None:
        return _nothing(leaflets)
    headers = _NO_STORE | {"content-disposition": f'attachment; filename="posting-{found.source}.json"'}
    return Response(msgspec.json.encode(found), media_type="application/json", headers=headers)


_DOWNLOADS = (("Markdown", "posting.md"), ("JSON", "posting.json"))


def _find(request: Request[Any, Any, Any], wiring: Wiring, source_id: str) -> Posting | None:
    """The instructions, for whoever brings the right link to a source in play."""
    rules = wiring.rules
    source = rules.roster.sources.get(source_id)
    if source is None or source.retired:
        return None
    if not may_read_posting(wiring.keyed_hash, source, request.query_params.get("t", "")):
        return None
    verticals = [rules.verticals[name] for name in source.verticals if name in rules.verticals]
    dialect = rules.lexicon.dialects.get(source.dialect.name)
    if not verticals:
        return None
    found = posting_of(source, verticals, dialect)
    return found if dialect is not None else _in_our_own(found, source, verticals[0])


def _nothing(leaflets: Leaflets) -> Response[str]:
    html = leaflets.render(
        "gone.html",
        title="There is nothing here",
        text="This link is not one of ours, or it has ended. Ask whoever gave it to you for a new one.",
        request_id="",
    )
    return Response(html, media_type=MediaType.HTML, status_code=404, headers=_NO_STORE)


def _base(request: Request[Any, Any, Any]) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _in_our_own(found: Posting, source: Source, vertical: Vertical) -> Posting:
    """The instructions for a source that posts to our own addresses."""
    lead = json.dumps(_own_body(vertical, ping=False), indent=2, ensure_ascii=False)
    ping = json.dumps(_own_body(vertical, ping=True), indent=2, ensure_ascii=False)
    answers = [
        (says, json.dumps({"lead_id": "lead_0123", **answer, "reasons": []}, indent=2))
        for says, answer in _LEAD_ANSWERS
    ]
    bid = {"ping_id": "ping_0123", "status": "bid", "price": "45.50", "currency": "USD", "sellers": ["Helio Solar LLC"]}
    return msgspec.structs.replace(
        found,
        addresses=(
            ("POST", "/v1/leads", "leads"),
            ("POST", "/v1/ping", "pings"),
            ("POST", "/v1/post", "leads, with the ping_id of their ping"),
        ),
        credentials=(("header.Authorization", f"Bearer {PLACEHOLDER}"),),
        samples=(
            Sample("A whole lead, as a test", "POST", "/v1/leads", _JSON, lead, tuple(answers)),
            Sample("A ping", "POST", "/v1/ping", _JSON, ping, (("A bid.", json.dumps(bid, indent=2)),)),
        ),
    )


def _own_body(vertical: Vertical, *, ping: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"vertical": vertical.name, "test": True, "fields": {}, "consent": {}, "context": {}}
    for name, value in example_values(vertical, ping=ping).items():
        section, _, inner = name.rpartition(".")
        spec = vertical.fields.get(name)
        typed: Any = value
        if spec is not None and spec.type in ("int", "number", "money"):
            typed = int(value)
        elif spec is not None and spec.type == "bool":
            typed = value == "yes"
        elif spec is not None and spec.type == "list":
            typed = [value]
        body[section or "fields"][inner or name] = typed
    return {name: part for name, part in body.items() if part != {}}


def _markdown(posting: Posting, base: str) -> Iterator[str]:
    yield f"# Posting leads: {posting.name}"
    yield ""
    if posting.speaks:
        yield f"In the format of {posting.speaks}."
        yield ""
    yield "## Addresses\n\n| request | address | for |\n| --- | --- | --- |"
    for verbs, path, what in posting.addresses:
        yield f"| {verbs} | `{base}{path}` | {what} |"
    yield "\n## Credentials\n\n| where | value |\n| --- | --- |"
    for name, value in posting.credentials:
        yield f"| `{name.replace('header.', 'header ')}` | `{value}` |"
    for group in posting.groups:
        yield f"\n## {group.title}"
        if group.vertical:
            yield f"\nVertical: `{group.code}`."
        yield "\n| send as | type | | meaning |\n| --- | --- | --- | --- |"
        for line in group.lines:
            says = ". ".join(part for part in (line.title, line.says) if part)
            choices = f" One of: {', '.join(line.choices)}." if line.choices else ""
            aliases = f" Also understood: {', '.join(line.aliases)}." if line.aliases else ""
            needed = "needed" if line.required else "not in a ping" if not line.ping else ""
            yield f"| `{line.name}` | {line.type} | {needed} | {_cell(f'{says}.{choices}{aliases}')} |"
    for sample in posting.samples:
        yield f"\n## {sample.title}\n\n```bash\n{sample.curl(base)}\n```"
        for says, answer in sample.answers:
            yield f"\n{says}\n\n```\n{answer}\n```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


ROUTES = [posting_page, posting_markdown, posting_json]
