"""What somebody of ours decides about a request, in one word for every door: the desk, the API, the command.

The decisions themselves are in ``confirming`` and ``deciding``.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from leadmill.core.faults import NotFound
from leadmill.flow.kit import Kit
from leadmill.flow.rights.confirming import confirm_by_hand
from leadmill.flow.rights.deciding import (
    acknowledge_request,
    appeal_request,
    begin_request,
    decide_on_appeal,
    deny_request,
    extend_request,
)
from leadmill.privacy import PrivacyRequest, find_request
from leadmill.runtime.db import Tx

Action = Literal["confirm", "acknowledge", "extend", "fulfil", "deny", "appeal", "decide"]


class Decision(Struct, frozen=True, kw_only=True):
    """What is decided: ``confirm`` goes by ``level``, ``saw`` and ``person_id``; ``extend``, ``deny`` and ``decide`` by
    ``why``, which the person reads; ``deny`` by a ``ground`` and a ``citation``, ``decide`` by ``granted``; ``fulfil``
    has it carried out."""

    action: Action
    level: str = ""
    person_id: str = ""
    saw: str = ""
    why: str = ""
    ground: str = ""
    citation: str = ""
    granted: bool = False


async def decide(tx: Tx, kit: Kit, request_id: str, said: Decision, by: str, now: datetime) -> PrivacyRequest:
    """Carry a decision out; the request as it stands then. Raises NotFound ``privacy.request.unknown``, and as each
    decision does."""
    match said.action:
        case "confirm":
            return await confirm_by_hand(tx, kit, request_id, said.level, said.person_id, said.saw, by, now)
        case "acknowledge":
            await acknowledge_request(tx, kit, request_id, by, now)
            one = await find_request(tx, request_id)
            if one is None:
                raise NotFound("privacy.request.unknown", "there is no such request")
            return one
        case "extend":
            return await extend_request(tx, kit, request_id, said.why, by, now)
        case "fulfil":
            return await begin_request(tx, kit, request_id, by, now)
        case "deny":
            return await deny_request(tx, kit, request_id, said.ground, said.citation, said.why, by, now)
        case "appeal":
            return await appeal_request(tx, kit, request_id, said.why, by, now)
        case "decide":
            return await decide_on_appeal(tx, kit, request_id, said.granted, said.why, by, now)
