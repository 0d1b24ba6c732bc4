"""Carries requests out: to know, to be deleted, to have something put right.

``carry_out`` is the handler of ``privacy.fulfil`` jobs. A job may be killed and begun again at any place: what is done
stays done, and the request is answered once. What cannot be done goes back to whoever decides, with the reason.
"""

import msgspec

from leadmill.core.faults import NotFound, Permanent
from leadmill.flow.kit import Kit
from leadmill.flow.rights.compiling import compile_answer
from leadmill.flow.rights.correcting import correct_person
from leadmill.flow.rights.deleting import delete_person, stop_everything
from leadmill.identity import read_prospect
from leadmill.privacy import PrivacyAnswer, PrivacyRequest, find_request, give_back, lock_request, settle
from leadmill.runtime.jobs import Handler, Job


def carry_out(kit: Kit) -> Handler:
    """The handler of ``privacy.fulfil`` jobs."""

    async def handle(job: Job) -> None:
        request_id = job.read(dict[str, str])["request_id"]
        await kit.refresh()
        async with kit.db.begin() as tx:
            request = await find_request(tx, request_id)
            persons: tuple[str, ...] = ()
            if request is not None and request.person_id is not None:
                try:
                    persons = (await read_prospect(tx, request.person_id)).persons
                except NotFound:
                    persons = ()
        if request is None or request.state != "carrying":
            return
        try:
            await _carry(kit, request, persons)
        except Permanent as fault:
            await _return(kit, request_id, fault.code)

    return handle


async def _carry(kit: Kit, request: PrivacyRequest, persons: tuple[str, ...]) -> None:
    if request.kind == "delete":
        # Of whom nothing is found, what they named is closed all the same.
        await stop_everything(kit, request, persons)
    if not persons:
        await _nothing_held(kit, request.id)
    elif request.kind == "delete":
        await delete_person(kit, request.id, persons[0])
    elif request.kind == "correct":
        await correct_person(kit, request, persons)
    else:
        await _tell(kit, request.id, persons)


async def _tell(kit: Kit, request_id: str, persons: tuple[str, ...]) -> None:
    async with kit.db.begin() as tx:
        request = await lock_request(tx, request_id)
        if request is None or request.state != "carrying":
            return
        now = kit.clock()
        answer = await compile_answer(tx, kit, request, persons, now)
        moved = await settle(
            tx,
            kit.pen.vault,
            kit.mint,
            request,
            now,
            outcome="fulfilled" if answer.held else "nothing_held",
            answer=msgspec.json.encode(answer),
        )
        await kit.pen.append(tx, request.id, [moved.event], now)


async def _nothing_held(kit: Kit, request_id: str) -> None:
    async with kit.db.begin() as tx:
        request = await lock_request(tx, request_id)
        if request is None or request.state != "carrying":
            return
        now = kit.clock()
        answer = PrivacyAnswer(request_id=request.id, kind=request.kind, at=now, held=False)
        moved = await settle(
            tx, kit.pen.vault, kit.mint, request, now, outcome="nothing_held", answer=msgspec.json.encode(answer)
        )
        await kit.pen.append(tx, request.id, [moved.event], now)


async def _return(kit: Kit, request_id: str, code: str) -> None:
    async with kit.db.begin() as tx:
        request = await lock_request(tx, request_id)
        if request is None or request.state != "carrying":
            return
        now = kit.clock()
        moved = await give_back(tx, kit.pen.vault, request, code, now)
        await kit.pen.append(tx, request.id, [moved.event], now)
