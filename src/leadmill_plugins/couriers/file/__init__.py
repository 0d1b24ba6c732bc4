"""Drops a lead as a file into a folder that the buyer, or a transfer program, empties.

Found by the entry point ``file`` of ``leadmill.couriers``. The path lies below the drop folder of the settings;
putting the same lead twice makes one file.
"""

from collections.abc import Sequence

from leadmill.core.conversation import FileAsk, FileReply, Outgoing, Reply
from leadmill.delivery import DeliverySpec, Outcome, Parcel, Secret, write

_PLACES = ("recipient", "vertical", "lead_id", "sale_id", "delivery_id")


class FileCourier:
    """One file a delivery."""

    name = "file"

    def check(self, spec: DeliverySpec) -> Sequence[tuple[str, str]]:
        """The path must tell one delivery from another; a file holds no secrets."""
        lacks = []
        if spec.path and not any(f"{{{place}}}" in spec.path for place in ("lead_id", "sale_id", "delivery_id")):
            lacks.append(
                ("path", "must have {lead_id}, {sale_id} or {delivery_id} in it, or every lead would be one file")
            )
        if spec.path.startswith("/") or ".." in spec.path.split("/"):
            lacks.append(("path", "must stay below the drop folder of the settings"))
        if any(isinstance(value, Secret) for value in spec.constants.values()):
            lacks.append(("constants", "a file holds no secrets"))
        return lacks

    def ask(self, spec: DeliverySpec, parcel: Parcel) -> Outgoing:
        """The parcel as one file."""
        letter = write(spec, parcel)
        path = spec.path or "{recipient}/{date}/{delivery_id}.{suffix}"
        for place in _PLACES:
            path = path.replace(f"{{{place}}}", str(getattr(parcel, place)))
        path = path.replace("{date}", parcel.created_at.date().isoformat()).replace("{suffix}", letter.suffix)
        return FileAsk(path, letter.body)

    def read(self, spec: DeliverySpec, parcel: Parcel, reply: Reply) -> Outcome:
        """Delivered: the file stands there."""
        assert isinstance(reply, FileReply)
        return Outcome("accepted", "delivery.file.written", elapsed_ms=reply.elapsed_ms)


courier = FileCourier()
