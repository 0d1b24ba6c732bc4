"""A lead while it walks: the evidence gathered so far, what is asked and what was answered.

Written by the runner in ``flow``, read by every step. Evidence is kept by its type: a step that needs a consent proof
asks the case for ``Proof`` and cannot be handed anything else.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, TypeVar

from msgspec import Struct

from leadmill.core.faults import Permanent


def _tag(name: str) -> str:
    return name.rpartition(".")[2]


class Evidence(Struct, frozen=True, tag=_tag):
    """Something a step established. Its class name is its tag in the journal: renaming one breaks old pages.

    ``personal`` says whether it carries personal data: such evidence is stored sealed with the person's key, other
    evidence stays readable after the person is forgotten. ``kept`` is False for evidence that the journal does not
    copy: it has a sealed row of its own or is derived from other evidence.
    """

    personal: ClassVar[bool] = True
    kept: ClassVar[bool] = True

    def tell(self) -> Iterable[str]:
        """The evidence in short sentences for a biography; personal values only masked."""
        return ()


class Answer(Struct, frozen=True, tag=_tag):
    """What was heard to an ask. Tagged by class name like evidence."""

    def tell(self) -> Iterable[str]:
        """The answer in short sentences; personal values only masked."""
        return ()


class Ask(Struct, frozen=True, tag=_tag):
    """A question a step puts to the world, answered by the listener that ``main`` wired for its type."""

    personal: ClassVar[bool] = True


E = TypeVar("E", bound=Evidence)
A = TypeVar("A", bound=Answer)


class Case:
    """The evidence of one lead by type. Steps read it; only the runner writes it."""

    __slots__ = ("_held", "lead_id")

    def __init__(self, lead_id: str, evidence: Iterable[Evidence] = ()) -> None:
        self.lead_id = lead_id
        self._held: dict[type[Evidence], Evidence] = {}
        self.learn(evidence)

    def __getitem__(self, kind: type[E]) -> E:
        """The evidence of this type. Raises :class:`Permanent` ``flow.evidence.missing`` where no step brought it,
        which means that the pipeline is in the wrong order."""
        found = self._held.get(kind)
        if not isinstance(found, kind):
            raise Permanent("flow.evidence.missing", f"no step has established {kind.__name__}")
        return found

    def get(self, kind: type[E]) -> E | None:
        """The evidence of this type, or None."""
        found = self._held.get(kind)
        return found if isinstance(found, kind) else None

    def __contains__(self, kind: type[Evidence]) -> bool:
        return kind in self._held

    def learn(self, evidence: Iterable[Evidence]) -> None:
        """Add evidence; a later piece of the same type replaces the earlier one."""
        for item in evidence:
            self._held[type(item)] = item

    def evidence(self) -> list[Evidence]:
        """Everything held, in the order learned."""
        return list(self._held.values())


class Heard(Mapping[Ask, Answer]):
    """The answers to a step's asks."""

    __slots__ = ("_answers",)

    def __init__(self, answers: Mapping[Ask, Answer]) -> None:
        self._answers = answers

    def __getitem__(self, ask: Ask) -> Answer:
        return self._answers[ask]

    def __iter__(self) -> Iterator[Ask]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def to(self, ask: Ask, kind: type[A]) -> A:
        """The answer to ``ask``, which must be of ``kind``; :class:`Permanent` ``flow.answer.mismatch`` otherwise."""
        answer = self._answers.get(ask)
        if not isinstance(answer, kind):
            raise Permanent("flow.answer.mismatch", f"{type(ask).__name__} was not answered with {kind.__name__}")
        return answer


NOTHING = Heard({})
