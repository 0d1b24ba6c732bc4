"""``POST /v1/ping`` and ``POST /v1/post``: a price before the person is known, and the lead that follows it.

Plain ASGI beside the intake, whose reading it shares. Decides nothing: it reads the request, lets ``flow.quoting``
quote or walk it, and writes the answer. Faults become Problem Details as everywhere else.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from msgspec import Struct

from leadmill.capture import PING_ID, Mapped, Submission
from leadmill.core.faults import BadInput, FieldFault
from leadmill.flow.model import Settled
from leadmill.interfaces.api.intake import CallTold, Intake, Receive, Scope, Send, Told, answer_of, call_told
from leadmill.market import PingQuote
from leadmill.runtime.telemetry import INTAKE_SECONDS


class PingAnswer(Struct, frozen=True, omit_defaults=True):
    """What a source hears of its ping. ``price`` is what the source will be paid, a decimal string of ``currency``;
    ``sellers`` are the companies that consent must name, ``standby`` those that may step in for one of them and may
    be named as well; the offer holds until ``expires_at``. ``call`` is where a caller who is on the line would be put
    through."""

    ping_id: str
    status: str
    reasons: list[Told]
    price: str | None = None
    currency: str | None = None
    mode: str | None = None
    sellers: list[str] = []
    standby: list[str] = []
    expires_at: datetime | None = None
    test: bool = False
    call: CallTold | None = None


def ping_answer_of(quote: PingQuote) -> PingAnswer:
    """A quote as the API tells it."""
    if not quote.legs or quote.price is None:
        why = [Told(quote.because.code, quote.because.message)] if quote.because is not None else []
        return PingAnswer(quote.id, "no_bid", why, test=quote.test)
    return PingAnswer(
        ping_id=quote.id,
        status="bid",
        reasons=[],
        price=quote.price.decimal(),
        currency=quote.price.currency,
        mode=quote.mode.value if quote.mode is not None else None,
        sellers=list(quote.sellers),
        standby=list(quote.standby),
        expires_at=quote.expires_at,
        test=quote.test,
        call=call_told(quote.call),
    )


class PingDoor:
    """The ASGI application of both addresses. ``intake`` reads requests and answers faults; ``quote`` quotes a ping,
    ``post`` walks a lead against the ping of this id."""

    def __init__(
        self,
        intake: Intake,
        quote: Callable[[Submission], Awaitable[PingQuote]],
        post: Callable[[Submission, str, Mapped], Awaitable[Settled]],
    ) -> None:
        self._intake = intake
        self._quote = quote
        self._post = post

    async def ping(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a ping."""
        began = time.perf_counter()

        async def act() -> bytes:
            submission, _ = await self._intake.received(scope, receive)
            return _encode(ping_answer_of(await self._quote(submission)))

        await self._intake.answer(scope, send, "/v1/ping", act)
        INTAKE_SECONDS.labels("ping").observe(time.perf_counter() - began)

    async def refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is no POST."""

        async def act() -> bytes:
            raise BadInput("api.method.not_allowed", "this address takes POST alone")

        await self._intake.answer(scope, send, str(scope["path"]), act)

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a post."""
        began = time.perf_counter()

        async def act() -> bytes:
            submission, source = await self._intake.received(scope, receive)
            submission, mapped = self._intake.accepted(submission, source)
            ping_id = mapped.context.get(PING_ID)
            if not isinstance(ping_id, str) or not ping_id:
                says = "name the ping that this lead follows"
                raise BadInput("intake.post.ping_id", says, [FieldFault(f"/{PING_ID}", "intake.post.ping_id", says)])
            return _encode(answer_of(await self._post(submission, ping_id, mapped)))

        await self._intake.answer(scope, send, "/v1/post", act)
        INTAKE_SECONDS.labels("post").observe(time.perf_counter() - began)


_encode = msgspec.json.Encoder().encode
