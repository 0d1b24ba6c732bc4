"""Who may come in, and who read what: for administrators and compliance.

The review of access is signed here; the report of reads answers, after a breach or before one, whose records somebody
was shown.
"""

from datetime import timedelta

from litestar import get, post
from litestar.di import NamedDependency

from leadmill.access import list_reviews, review, span
from leadmill.access.model import ACTS, BreachReport
from leadmill.access.service import breach_report, read_standing, sign_review
from leadmill.core.faults import BadInput
from leadmill.interfaces.console.desk import Desk, Page
from leadmill.interfaces.dangers import danger
from leadmill.interfaces.reads import leads_named
from leadmill.parties import Right

_SHOWN = 200
_REVIEWS = 10
_USUAL = timedelta(days=7)


@get("/access", include_in_schema=False)
async def access_page(desk: NamedDependency[Desk]) -> Page:
    """Who may come in, what they may do, when they last did."""
    desk.need(Right.AUDIT)
    async with desk.wiring.db.begin() as tx:
        found = review(await read_standing(tx), desk.wiring.entrance.policy, desk.now)
        signed = await list_reviews(tx, _REVIEWS)
    names = {each.id: each.name or each.email for each in found.operators}
    return desk.show(
        "access.html",
        "access",
        review=found,
        remarks=found.remarks,
        signed=[(each, names.get(each.by, each.by)) for each in signed],
    )


@post("/access/sign", include_in_schema=False, opt=danger("review_signed", Right.AUDIT))
async def take_signature(desk: NamedDependency[Desk]) -> Page:
    """Sign the review as it stands."""
    fields = await desk.form()
    async with desk.wiring.db.begin() as tx:
        found = review(await read_standing(tx), desk.wiring.entrance.policy, desk.now)
        await sign_review(tx, desk.wiring.mint, found, desk.who.id, fields.get("note", ""), desk.now)
    return desk.back("/access", "signed")


@get("/access/reads", include_in_schema=False, opt=danger("breach_report", Right.AUDIT))
async def reads_page(desk: NamedDependency[Desk]) -> Page:
    """Who was shown what in a span; asking is written down as well."""
    query = desk.request.query_params
    given = {
        "since": query.get("since", f"{desk.now - _USUAL:%Y-%m-%d}")[:40],
        "until": query.get("until", "")[:40],
        "whose": query.get("whose", "")[:64],
        "reader": query.get("reader", "")[:64],
    }
    report: BreachReport | None = None
    error = ""
    try:
        since, until = span(given["since"], given["until"], desk.now)
        async with desk.wiring.db.begin() as tx:
            report = await breach_report(
                tx, since, until, reader=given["reader"].strip() or None,
                lead_ids=await leads_named(tx, given["whose"]), most=_SHOWN,
            )  # fmt: skip
            desk.note(tx, given["whose"])
    except BadInput as fault:
        error = fault.detail[:1].upper() + fault.detail[1:] + "."
    return desk.show(
        "reads.html", "access", status=422 if error else 200, report=report, acts=ACTS, given=given, error=error
    )


ROUTES = [access_page, take_signature, reads_page]
