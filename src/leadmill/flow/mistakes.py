"""The mistakes of many records, gathered so that a person mends a file once.

Used by ``planning``.
"""

from leadmill.core.faults import BadInput, FieldFault


class Mistakes:
    """Gathers the mistakes of many records."""

    def __init__(self) -> None:
        self._found: list[BadInput] = []
        self._entries: list[FieldFault] = []
        self._place = ""

    def at(self, place: str) -> "Mistakes":
        """For a ``with``: what is wrong within it stands at ``place``."""
        self._place = place
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, fault: BaseException | None, __: object) -> bool:
        if not isinstance(fault, BadInput):
            return False
        self._found.append(fault)
        entries = fault.errors or [FieldFault("", fault.code, fault.detail)]
        self._entries += [FieldFault(self._place + entry.pointer, entry.code, entry.detail) for entry in entries]
        return True

    def end(self) -> None:
        """Raise what was found."""
        if len(self._found) == 1:
            raise type(self._found[0])(self._found[0].code, self._found[0].detail, self._entries)
        if self._found:
            raise BadInput("config.files.invalid", f"{len(self._entries)} mistakes; nothing was changed", self._entries)
