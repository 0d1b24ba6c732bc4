"""Delivers a lead by carrier pigeon: a note in the loft named in the delivery's options."""

from leadmill.core.conversation import FileAsk, FileReply
from leadmill.delivery import Outcome, write


class Pigeon:
    name = "pigeon"

    def check(self, spec):
        loft = spec.options.get("loft")
        return [] if isinstance(loft, str) and loft else [("options", "must name the loft")]

    def ask(self, spec, parcel):
        return FileAsk(f"{spec.options['loft']}/{parcel.delivery_id}.txt", write(spec, parcel).body)

    def read(self, spec, parcel, reply):
        assert isinstance(reply, FileReply)
        return Outcome("accepted", "delivery.pigeon.flown", buyer_ref=f"feather {reply.size}")


courier = Pigeon()
