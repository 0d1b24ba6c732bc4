"""What a notice says: of an opt-out, or of a request of the person that its recipient has to follow as well.

Used by ``notices``. A notice names the lead and the sale, never the person, and not what was corrected but where.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from leadmill.optouts import Matter, Notice, OptOut, Scope, find_opt_outs
from leadmill.privacy import find_request
from leadmill.runtime.db import Tx


class Cause(Struct, frozen=True):
    """Why a recipient is told: the opt-out or the request of this id, when it was said and how it came."""

    id: str
    at: datetime
    channel: str
    scope: Scope = "all"


async def cause_of(tx: Tx, notice: Notice) -> Cause | None:
    """What a notice is about; None where there is nothing to tell (any more)."""
    if notice.matter != "opted_out":
        request = await find_request(tx, notice.opt_out_id)
        return Cause(request.id, request.received_at, request.channel) if request is not None else None
    found = (await find_opt_outs(tx, [notice.opt_out_id])).get(notice.opt_out_id)
    return of_opt_out(found) if found is not None and found.state == "stands" else None


def of_opt_out(one: OptOut) -> Cause:
    """An opt-out as the cause of notices."""
    return Cause(one.id, one.at, one.channel, one.scope)


_TYPES: dict[Matter, str] = {
    "opted_out": "person.opted_out",
    "deleted": "person.deletion_requested",
    "corrected": "person.corrected",
    "limited": "person.use_limited",
}


def message(cause: Cause, notice: Notice, public_url: str) -> dict[str, Any]:
    """The body of a webhook. It reads the same at every telling."""
    data: dict[str, Any] = {"notice_id": notice.id}
    if notice.matter == "opted_out":
        data |= {"optout_id": cause.id, "lead_id": notice.lead_id, "sale_id": notice.sale_id}
        data |= {"scope": cause.scope, "channel": cause.channel, "opted_out_at": cause.at}
    else:
        data |= {"request_id": cause.id, "lead_id": notice.lead_id, "sale_id": notice.sale_id}
        data |= {"channel": cause.channel, "requested_at": cause.at}
        data |= {"fields": notice.fields} if notice.fields else {}
    data["acknowledge_url"] = f"{public_url}/v1/optouts/notices/{notice.id}/acknowledge"
    return {"type": _TYPES[notice.matter], "timestamp": notice.created_at, "data": data}


class Sheet(Struct, frozen=True):
    """A notice as an e-mail."""

    subject: str
    text: str


_CLOSES = {
    "all": "calls, texts and e-mails",
    "phone": "calls and texts",
    "email": "e-mails",
    "sale": "the sale of their data",
}
_SUBJECTS: dict[Matter, str] = {
    "opted_out": "Opt-out: do not contact the person of lead {lead}",
    "deleted": "Deletion: delete what you have of lead {lead}",
    "corrected": "Correction: lead {lead} was put right",
    "limited": "Limit: sensitive data of lead {lead}",
}
_SAYS: dict[Matter, str] = {
    "opted_out": "Somebody whose lead you have wants to hear no more.\n\n"
    "Please stop {closes} to the person of these at once, and keep them on your own do-not-contact list:",
    "deleted": "Somebody whose lead you have asked that their data be deleted, and we have deleted it.\n\n"
    "Please delete what you have of the person of these, unless the law has you keep it, have those do so whom you gave"
    " it to, and contact them no more:",
    "corrected": "Somebody whose lead you have put something right about it: {fields}.\n\n"
    "Please take what you hold of this for doubtful, and ask the person or us:",
    "limited": "Somebody whose lead you have limited the use of their sensitive data.\n\n"
    "Please use it for nothing but what they asked for, and give it to nobody:",
}

_UNSOLD = (
    "Somebody whose lead was being handed to you wants their data sold to nobody.\n\n"
    "Please sell what you have of the person of these to nobody, and share it for no advertising:"
)


def sheet(cause: Cause, notice: Notice) -> Sheet:
    """The notice as an e-mail."""
    told = _UNSOLD if notice.matter == "opted_out" and cause.scope == "sale" else _SAYS[notice.matter]
    says = told.format(
        closes=_CLOSES[cause.scope], fields=", ".join(name.replace("_", " ") for name in notice.fields or ())
    )
    text = (
        f"{says}\n\nLead: {notice.lead_id}\nSale: {notice.sale_id}\nAsked: {cause.at:%Y-%m-%d %H:%M} UTC\n"
        f"Notice: {notice.id}\n\nAcknowledge it by POST /v1/optouts/notices/{notice.id}/acknowledge with your key, or"
        " by answering this message.\n"
    )
    return Sheet(_SUBJECTS[notice.matter].format(lead=notice.lead_id), text)
