"""Writes to whoever made a request: that it has come, with the link by which they show who they are; that it is
answered, refused, or takes longer.

``write_letter`` is the handler of ``privacy.write`` jobs. A letter goes to the address that was named, known here or
not, and says the same either way; what the answer is stands behind its link, never in the letter.
"""

from datetime import date

from leadmill.core.conversation import MailAsk
from leadmill.core.faults import Permanent
from leadmill.flow.kit import Kit
from leadmill.privacy import (
    GROUNDS,
    PrivacyRequest,
    Sheet,
    Statement,
    Ticket,
    acknowledge,
    find_request,
    last_day,
    note_letter,
    open_told,
    seal_ticket,
)
from leadmill.runtime.jobs import Handler, Job
from leadmill.runtime.outgoing import WayOut

ASKED = {
    "know": "to tell you what we hold about you",
    "delete": "to delete what we hold about you",
    "correct": "to put something right that we hold about you",
    "opt_out": "to sell and contact you no more",
    "limit": "to limit the use of sensitive data about you",
}
_SUBJECTS: dict[Sheet, str] = {
    "received": "Your request has come",
    "confirm": "Please confirm your request",
    "extended": "Your request takes longer",
    "answered": "Your request is answered",
    "denied": "Your request",
    "appealed": "Your appeal has come",
    "appeal_decided": "Your appeal is decided",
}
_SAYS: dict[Sheet, str] = {
    "received": "You asked us {asked}. We answer by {due}.",
    "confirm": "Somebody, we think you, asked us {asked}{agent}.\n\nOpen this page within two weeks and press its"
    " button, so that we know it is you:\n\n{link}\n\nWe answer by {due}, on the same page. If it was not"
    " you, do nothing: nothing happens then.",
    "extended": "You asked us {asked}. It takes longer than we thought; we answer by {due}. Why stands here:\n\n{link}",
    "answered": "You asked us {asked}. The answer stands here:\n\n{link}",
    "denied": "You asked us {asked}. We cannot do so: {ground} Why, and what you can do, stands here:\n\n{link}",
    "appealed": "You asked us to look once more at your request {asked}. We decide by {due} and write to you."
    "\n\n{link}",
    "appeal_decided": "You asked us to look once more at your request {asked}. What we decided stands here:\n\n{link}",
}
_ENDS = "\n\nKeep this letter to yourself: whoever has its link reads what it shows.\nRequest {request}\n"
_BUDGET_MS = 15_000


def write_letter(kit: Kit, way: WayOut, public_url: str) -> Handler:
    """The handler of ``privacy.write`` jobs. Raises Permanent ``privacy.letter.refused`` where the mail server will not
    have it; a request without an address, and a house without a mail server, write nothing and note so."""

    async def handle(job: Job) -> None:
        payload = job.read(dict[str, str])
        sheet: Sheet = next(one for one in _SAYS if one == payload["sheet"])
        async with kit.db.begin() as tx:
            request = await find_request(tx, payload["request_id"])
        if request is None:
            return
        told = open_told(kit.pen.vault, request)
        if not told.email:
            return
        if not kit.walk().rules.mail:
            async with kit.db.begin() as tx:
                await note_letter(tx, request.id, sheet, "unsent", kit.clock())
            return
        reply = await way.perform(compose(kit, request, told, sheet, public_url))
        sent = reply.code < 300
        async with kit.db.begin() as tx:
            now = kit.clock()
            await note_letter(tx, request.id, sheet, "sent" if sent else "refused", now)
            if sent:
                moved = await acknowledge(tx, request.id, "house", now, kit.pen.vault)
                if moved is not None:
                    await kit.pen.append(tx, request.id, [moved.event], now)
        if not sent:
            raise Permanent("privacy.letter.refused", "the mail server refused the letter")

    return handle


def compose(kit: Kit, request: PrivacyRequest, told: Statement, sheet: Sheet, public_url: str) -> MailAsk:
    """The letter."""
    vault = kit.pen.vault
    token = seal_ticket(vault.keyed_hash, vault.seal, Ticket(request.id, letter=True))
    due = request.appeal_due_at if request.state == "appealed" else request.answer_due_at
    ground = GROUNDS.get(request.ground or "")
    text = _SAYS[sheet].format(
        asked=ASKED[request.kind],
        agent=f" for you, as {told.agent}, who says that you gave permission" if told.agent else "",
        link=f"{public_url}/privacy/r/{token}",
        due=_day(last_day(due or request.answer_due_at)),
        ground=ground.says if ground is not None else "",
    )
    text = f"Hello,\n\n{text}{_ENDS.format(request=request.id)}"
    ident = f"{request.id}.{sheet}"
    return MailAsk((told.email,), _SUBJECTS[sheet], text, message_id=ident, budget_ms=_BUDGET_MS)


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
