"""The web application: the API, the console, the hosted forms and their files, joined.

Called by :mod:`leadmill.interfaces.server`, which mounts the intake beside it, and by tests. Faults become Problem
Details for programs and pages for people; which, depends on the address, and on what the caller takes where there is no
such address. Everything comes in as an argument.
"""

from functools import cache
from pathlib import Path
from typing import Any

from litestar import Litestar, MediaType, Request, Response, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from leadmill.core.faults import BadInput, Fault, Permanent
from leadmill.interfaces import api, console, portals
from leadmill.interfaces.api import alerts as looking
from leadmill.interfaces.api import (
    certificates,
    corrections,
    docs,
    feedback,
    health,
    hygiene,
    known,
    leads,
    optouts,
    outcomes,
    ping_list,
    privacy,
    reviews,
)
from leadmill.interfaces.api import models as learned
from leadmill.interfaces.api import people as persons
from leadmill.interfaces.api.access import provide_reader
from leadmill.interfaces.api.problems import MEDIA_TYPE, Problem, headers_of, problem_for, problem_of
from leadmill.interfaces.console import access as entrances
from leadmill.interfaces.console import (
    account,
    alerts,
    api_keys,
    auctions,
    card_reviews,
    consenting,
    correcting,
    deliveries,
    imports,
    lead,
    market,
    markets,
    models,
    pacing,
    people,
    personal,
    providers,
    requests,
    retention,
    review,
    scores,
    sign_in,
    tiers,
    trials,
    users,
)
from leadmill.interfaces.console import fraud as suspicions
from leadmill.interfaces.console import hygiene as upkeep
from leadmill.interfaces.console import leads as lists
from leadmill.interfaces.console import optouts as leaving
from leadmill.interfaces.console.desk import (
    Waiting,
    provide_anybody,
    provide_desk,
    provide_halfway,
    provide_newcomer,
)
from leadmill.interfaces.console.faults import fault_page
from leadmill.interfaces.guard import Asgi, guarded, request_id_of
from leadmill.interfaces.pages import Pages, read_static
from leadmill.interfaces.portals import form, optout, posting, witnessing
from leadmill.interfaces.portals import privacy as asking
from leadmill.interfaces.portals.form import Leaflets
from leadmill.interfaces.wiring import Wiring
from leadmill.runtime import telemetry

_PROGRAMS = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json")
_FOREVER = "public, max-age=31536000, immutable"
_MOST_BODY = 1 << 20
_WIRING, _WAITING = "leadmill.wiring", "leadmill.waiting"

_CODES = {
    400: "api.request.malformed",
    404: "api.path.unknown",
    405: "api.method.not_allowed",
    413: "api.body.too_large",
    415: "api.body.media_type",
}

_DETAILS = {
    404: "there is no such address; the API's are in /openapi.json",
    405: "this address takes no such request; the header Allow names those it takes",
    413: "send at most 1 MiB",
}


def build_app(wiring: Wiring) -> Asgi:
    """The application under this wiring."""
    app, waiting = framework(), Waiting()

    async def wired(scope: Any, receive: Any, send: Any) -> None:
        scope[_WIRING], scope[_WAITING] = wiring, waiting
        await app(scope, receive, send)

    return guarded(wired, wiring.secure)


@cache
def framework() -> Litestar:
    """The routes and all that they share whoever's house it is; which one is asked stands in the request's scope."""
    static = read_static()
    pages = Pages(Path(console.__file__).parent / "templates", static)
    leaflets = Pages(Path(portals.__file__).parent / "templates", static)
    manual = Pages(Path(api.__file__).parent / "templates", static)

    @get("/static/{name:str}", include_in_schema=False, sync_to_thread=False)
    def static_file(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        found = static.get(name)
        if found is None:
            raise HTTPException(status_code=404)
        tag = f'"{found.tag}"'
        if request.headers.get("if-none-match") == tag:
            return Response(b"", status_code=304, headers={"etag": tag})
        # A tag in the address, a hash in the name or a font that never changes: the address is the content.
        lasting = "v" in request.query_params or name.endswith(".woff2") or "-" in name
        headers = {"etag": tag, "cache-control": _FOREVER if lasting else "no-cache", "vary": "accept-encoding"}
        packed = found.packed if "gzip" in request.headers.get("accept-encoding", "") else None
        if packed is not None:
            headers["content-encoding"] = "gzip"
        return Response(packed or found.body, headers={"content-type": found.kind, **headers})

    @get(["/", "/console"], include_in_schema=False, sync_to_thread=False)
    def front() -> Redirect:
        return Redirect("/leads", status_code=303)

    def on_fault(request: Request[Any, Any, Any], fault: Fault) -> Response[Any]:
        problem = problem_of(fault, request.url.path, request_id_of(request.scope))
        if problem.status >= 500:
            telemetry.log("web").error("a request failed", code=fault.code, request=problem.request_id, exc_info=fault)
        return _answer(request, problem, dict(headers_of(fault)))

    def on_http(request: Request[Any, Any, Any], fault: HTTPException) -> Response[Any]:
        status = fault.status_code
        problem = problem_for(
            status,
            _CODES.get(status, "api.request.refused"),
            _DETAILS.get(status) or str(fault.detail),
            request.url.path,
            request_id_of(request.scope),
        )
        return _answer(request, problem, dict(fault.headers or {}))

    def on_broken(request: Request[Any, Any, Any], fault: Exception) -> Response[Any]:
        problem = problem_of(Permanent("api.server.broken"), request.url.path, request_id_of(request.scope))
        telemetry.log("web").error("a request broke", request=problem.request_id, exc_info=fault)
        return _answer(request, problem, {})

    def _answer(request: Request[Any, Any, Any], problem: Problem, headers: dict[str, str]) -> Response[Any]:
        path = request.url.path
        lost = problem.status in (404, 405) and problem.code == _CODES[problem.status]
        if path == "/v1" or path.startswith(_PROGRAMS) or (lost and not _by_a_person(request)):
            return Response(
                problem.encode(), status_code=problem.status, headers={**headers, "content-type": MEDIA_TYPE}
            )
        if path.startswith("/f/"):
            return _gone(leaflets, problem, headers)
        answer = fault_page(request, pages, problem.status, problem.code, problem.detail, problem.request_id)
        answer.headers.update(headers)
        return answer

    return Litestar(
        route_handlers=[
            static_file,
            front,
            *sign_in.ROUTES,
            *lists.ROUTES,
            *lead.ROUTES,
            *review.ROUTES,
            *consenting.ROUTES,
            *people.ROUTES,
            *correcting.ROUTES,
            *suspicions.ROUTES,
            *scores.ROUTES,
            *card_reviews.ROUTES,
            *alerts.ROUTES,
            *models.ROUTES,
            *tiers.ROUTES,
            *upkeep.ROUTES,
            *auctions.ROUTES,
            *markets.ROUTES,
            *market.ROUTES,
            *pacing.ROUTES,
            *deliveries.ROUTES,
            *leaving.ROUTES,
            *requests.ROUTES,
            *retention.ROUTES,
            *personal.ROUTES,
            *imports.ROUTES,
            *trials.ROUTES,
            *providers.ROUTES,
            *users.ROUTES,
            *account.ROUTES,
            *api_keys.ROUTES,
            *entrances.ROUTES,
            *form.ROUTES,
            *witnessing.ROUTES,
            *posting.ROUTES,
            *optout.ROUTES,
            *asking.ROUTES,
            *leads.ROUTES,
            *outcomes.ROUTES,
            *feedback.ROUTES,
            *hygiene.ROUTES,
            *certificates.ROUTES,
            *corrections.ROUTES,
            *persons.ROUTES,
            *known.ROUTES,
            *optouts.ROUTES,
            *privacy.ROUTES,
            *reviews.ROUTES,
            *learned.ROUTES,
            *looking.ROUTES,
            *ping_list.ROUTES,
            *health.ROUTES,
            *docs.ROUTES,
        ],
        dependencies={
            "wiring": Provide(_wiring, sync_to_thread=False),
            "pages": Provide(lambda: pages, sync_to_thread=False),
            "leaflets": Provide(lambda: leaflets, sync_to_thread=False),
            "manual": Provide(lambda: manual, sync_to_thread=False),
            "waiting": Provide(_waiting, sync_to_thread=False),
            "desk": Provide(provide_desk),
            "newcomer": Provide(provide_newcomer),
            "halfway": Provide(provide_halfway),
            "anybody": Provide(provide_anybody),
            "reader": Provide(provide_reader),
        },
        exception_handlers={Fault: on_fault, HTTPException: on_http, Exception: on_broken},
        openapi_config=None,
        logging_config=None,
        before_request=_check_address,
        request_max_body_size=_MOST_BODY,
        debug=False,
    )


def _wiring(request: Request[Any, Any, Any]) -> Wiring:
    found: Wiring = request.scope[_WIRING]  # type: ignore[literal-required]
    return found


def _waiting(request: Request[Any, Any, Any]) -> Waiting:
    found: Waiting = request.scope[_WAITING]  # type: ignore[literal-required]
    return found


def _check_address(request: Request[Any, Any, Any]) -> None:
    """Nothing is called by a NUL, and the store cannot even be asked. Raises BadInput ``api.request.malformed``."""
    if "\0" in request.url.path or b"%00" in request.scope["query_string"]:
        raise BadInput("api.request.malformed", "the address holds a NUL character; leave it out")


def _by_a_person(request: Request[Any, Any, Any]) -> bool:
    """Whether a browser asks, which names HTML among what it takes; its scripts say that they are ours."""
    taken = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")}
    return "text/html" in taken or "hx-request" in request.headers


def _gone(leaflets: Leaflets, problem: Problem, headers: dict[str, str]) -> Response[Any]:
    known = problem.status in (404, 410)
    html = leaflets.render(
        "gone.html",
        title="This form is not here" if known else "That did not work",
        text="It may have been taken down; ask whoever gave you the address."
        if known
        else "Nothing was lost on your side: please go back, wait a moment and send it again.",
        request_id=problem.request_id,
    )
    return Response(html, media_type=MediaType.HTML, status_code=problem.status, headers=headers)
