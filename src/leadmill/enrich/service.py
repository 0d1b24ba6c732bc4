"""Asking providers.

Wired by ``main`` to the runner's ask :class:`ProviderAsk`; the request itself is made by the machinery's one HTTP
client.
"""

from collections.abc import Awaitable, Callable, Mapping

from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Fault
from leadmill.enrich.model import Consult, ProviderAnswer, ProviderAsk
from leadmill.facts import Fact

Perform = Callable[[HttpAsk], Awaitable[HttpReply]]
"""Makes one request within its budget; raises a Fault where no answer came."""


def ask_providers(
    consults: Mapping[str, Consult], perform: Perform
) -> Callable[[ProviderAsk], Awaitable[ProviderAnswer]]:
    """The caller for provider asks. It never raises: a provider that fails, or a plug-in that breaks, leaves its topic
    unknown, with the fault's code in the answer."""

    async def call(ask: ProviderAsk) -> ProviderAnswer:
        consult = consults.get(ask.provider)
        if consult is None:
            return _unknown(ask, "facts.provider.missing")
        params = dict(ask.params)
        try:
            request = consult.provider.ask(ask.topic, params)
            if request is None:
                return ProviderAnswer(ask.provider, ask.topic)
            reply = await perform(request)
            return ProviderAnswer(ask.provider, ask.topic, consult.provider.read(ask.topic, reply, params))
        except Fault as fault:
            return _unknown(ask, fault.code)
        except Exception:  # a stranger's plug-in must not take the lead with it
            return _unknown(ask, "facts.provider.broken")

    return call


def _unknown(ask: ProviderAsk, code: str) -> ProviderAnswer:
    return ProviderAnswer(ask.provider, ask.topic, [Fact(ask.topic, None, "unknown", ask.provider, 0)], code)
