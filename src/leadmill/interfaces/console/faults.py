"""What a visitor of the console sees when something is refused or breaks."""

from typing import Any
from urllib.parse import quote

from litestar import MediaType, Request, Response
from litestar.response import Redirect

from leadmill.interfaces.console.desk import own_path, preferences
from leadmill.interfaces.pages import Pages

_TITLES = {
    401: "Sign in",
    403: "Not for your role",
    404: "There is nothing here",
    405: "That is not possible here",
    409: "Somebody was quicker",
    413: "That is too large",
    429: "Too many tries",
    503: "Not now",
}
_TEXTS = {
    404: "The address may be mistyped, or what it named is gone.",
    405: "This address takes no such request.",
    500: "Something failed on our side. Nothing was changed; the request’s id below finds it in the log.",
    503: "The store does not answer at the moment. Nothing was changed; try again shortly.",
}


def fault_page(
    request: Request[Any, Any, Any], pages: Pages, status: int, code: str, detail: str, request_id: str
) -> Response[Any]:
    """The page for a fault; a piece of a page where a script asked for one. Who is not signed in is sent to sign in."""
    scripted = request.headers.get("hx-request") == "true"
    if status == 401 and "text/event-stream" not in request.headers.get("accept", ""):
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        to = "/sign-in" if request.method != "GET" or scripted else f"/sign-in?next={quote(here, safe='/')}"
        if scripted:
            return Response(b"", status_code=200, headers={"hx-redirect": to})
        return Redirect(to, status_code=303)
    if code == "console.proof.stale":
        referer = request.headers.get("referer", "").partition("://")[2].partition("/")[2]
        here = request.url.path if request.method == "GET" else own_path(f"/{referer}", "/account")
        prove = f"/prove?next={quote(here, safe='/')}"
        return Response(b"", headers={"hx-redirect": prove}) if scripted else Redirect(prove, status_code=303)
    values = {
        **preferences(request),
        "title": _TITLES.get(status, "This cannot be done" if status < 500 else "Something failed"),
        "text": _sentence(detail)
        if detail and status not in (404, 405, 500)
        else _TEXTS.get(status, _sentence(detail)),
        "request_id": request_id,
        "code": code,
        "back": "/leads",
        "back_says": "To the leads",
    }
    drawer = "drawer" in request.headers.get("hx-target", "")
    html = pages.render("fault_part.html" if drawer else "fault.html", **values)
    return Response(html, media_type=MediaType.HTML, status_code=status, headers={"cache-control": "no-store"})


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
