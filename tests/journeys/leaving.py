"""What lives tell of people who want to hear no more: replies, opt-outs, notices, and being forgotten."""

from typing import Any

from leadmill.flow.enforcing import enforce_now, settle_doubt
from leadmill.flow.notices import acknowledge
from leadmill.flow.optingout import Wish, take_opt_outs
from leadmill.flow.store import leads_of_persons
from leadmill.identity.service import forget_person
from leadmill.optouts import list_opt_outs, notices_of
from leadmill.policy import classify_reply
from tests.journeys.truths import Truths, same


class Leaving(Truths):
    """The verbs of leaving."""

    async def do_reply(self, event: dict[str, Any]) -> None:
        """``reply = LABEL``: the lead's person answers ``text``, which is read as ``result``; ``recorded`` says whether
        it was news."""
        result = classify_reply(event["text"])
        assert result == event["result"]
        if result == "none":
            return
        wish = Wish(
            channel="reply",
            by="test",
            lead_id=self.leads[event["reply"]],
            words=event["text"],
            verdict=result,
            doubtful=result == "review",
        )
        async with self.house.db.begin() as tx:
            (heard,) = await take_opt_outs(tx, self.house.kit, [wish], self.clock())
        assert heard.recorded is event.get("recorded", True)
        if heard.recorded and heard.id is not None:
            await enforce_now(self.house.kit, [heard.id])

    async def do_doubt(self, event: dict[str, Any]) -> None:
        """``doubt = true``: a person says of the doubtful reply that it was an opt-out; ``false``: that it was none."""
        async with self.house.db.begin() as tx:
            (one,) = await list_opt_outs(tx, state="review")
            await settle_doubt(tx, self.house.kit, one.id, event["doubt"], "op_ana", self.clock())

    async def do_told(self, event: dict[str, Any]) -> None:
        """``told = { helio = "acknowledged" }``: how the notices about the lead ``of`` stand, by recipient."""
        async with self.house.db.begin() as tx:
            found = {one.recipient: one.state for one in await notices_of(tx, self.leads[event["of"]])}
        same(found | dict.fromkeys(event["told"].keys() - found.keys()), event["told"])
        assert found.keys() == event["told"].keys()

    async def do_acknowledge(self, event: dict[str, Any]) -> None:
        """``acknowledge = LABEL``: the recipient ``by`` says that it contacts the lead's person no more."""
        async with self.house.db.begin() as tx:
            notices = await notices_of(tx, self.leads[event["acknowledge"]])
            for one in notices:
                if one.recipient == event["by"]:
                    await acknowledge(tx, self.house.kit, one.id, self.clock(), event["by"])

    async def do_forget(self, event: dict[str, Any]) -> None:
        """``forget = LABEL``: the lead's person is forgotten."""
        async with self.house.db.begin() as tx:
            row = await self.house.pen.lock(tx, self.leads[event["forget"]])
            assert await forget_person(tx, self.house.keys, row.person_id, self.clock())
            self.forgotten |= set(await leads_of_persons(tx, [row.person_id]))
