"""Asks a house that quotes by a price list at an address of its own: the state is in the path, the bid is one line."""

from leadmill.core.conversation import HttpAsk
from leadmill.core.reasons import because
from leadmill.market import BID_MALFORMED, BidRead


class Crow:
    name = "crow"

    def check(self, target):
        return [] if target.options.get("nest") else [("options", "must name the nest")]

    def ask(self, target, offer, budget_ms):
        state = offer.fields.get("state", "any")
        url = f"{target.url}/{target.options['nest']}/{state}"
        return HttpAsk("GET", url, budget_ms=budget_ms, hurried=True)

    def read(self, target, offer, reply):
        word, _, price = reply.body.decode().partition(" ")
        if word != "caw" or not price:
            return BidRead(no_bid=because(BID_MALFORMED, what="it does not caw"))
        return BidRead(price=price, ref=f"{offer.id}/{target.options['nest']}")


bidder = Crow()
