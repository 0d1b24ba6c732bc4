"""The data keys of persons lately met. In memory only."""

from collections import OrderedDict

from leadmill.core.faults import Permanent


class Keys:
    """The data keys of persons lately met, in the clear and in memory only; the oldest make room."""

    def __init__(self, size: int = 20_000) -> None:
        self._size = size
        self._held: OrderedDict[str, bytes] = OrderedDict()

    def has(self, person_id: str) -> bool:
        """Whether the person's key is at hand."""
        return person_id in self._held

    def of(self, person_id: str) -> bytes:
        """The person's data key. Raises :class:`Permanent` ``vault.key.destroyed`` where it is not at hand, which after
        :func:`load_keys` means that the person was forgotten."""
        key = self._held.get(person_id)
        if key is None:
            raise Permanent("vault.key.destroyed", "this person has been forgotten")
        self._held.move_to_end(person_id)
        return key

    def put(self, person_id: str, key: bytes) -> None:
        """Keep a key at hand."""
        self._held[person_id] = key
        self._held.move_to_end(person_id)
        if len(self._held) > self._size:
            self._held.popitem(last=False)

    def drop(self, person_id: str) -> None:
        """Let go of a key."""
        self._held.pop(person_id, None)
