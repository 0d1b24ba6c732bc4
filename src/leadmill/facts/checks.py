"""Which failed facts stop a lead of a vertical, and which ask for a person: the ``[facts]`` table of its pack.

Read once with the packs; applied by the step, and again when providers have added what they know.
"""

from collections.abc import Mapping

from msgspec import Struct
from rapidfuzz.distance import OSA

from leadmill.core.reading import Table, nearest
from leadmill.core.reasons import Because, because
from leadmill.facts.keys import KEYS
from leadmill.facts.model import BOT, DOUBTED, FAILED, Dossier
from leadmill.runtime.packs import Packs

_CODE = "facts.check.malformed"
_BOT = "agent.bot"
_SLIP = 2
"""Letters by which a slip differs from what was meant at most."""


class Checks(Struct, frozen=True):
    """The keys of the facts that must not have failed: a lead is stopped for those in ``stop``, held for a person for
    those in ``review``."""

    stop: tuple[str, ...] = (_BOT,)
    review: tuple[str, ...] = ()


USUAL = Checks()
"""What holds in a vertical that says nothing."""


def read_checks(packs: Packs) -> dict[str, Checks]:
    """The checks of each vertical pack that has some. Raises :class:`BadInput` with the place of what is wrong."""
    found = {}
    for name, pack in packs.verticals.items():
        raw = pack.file("pack.toml").get("facts")
        if raw is not None:
            found[name] = read_table(raw, name)
    return found


def read_table(raw: object, vertical: str) -> Checks:
    """A table as decoded from TOML: ``stop`` and ``review``, lists of keys. A key that is none of ours is a
    provider's, unless it looks like a slip in one of ours."""
    table = Table(raw, f"{vertical}/pack.toml, facts", _CODE)
    stop, review = table.texts("stop", USUAL.stop), table.texts("review", ())
    for name, keys in (("stop", stop), ("review", review)):
        for key in keys:
            if key not in KEYS and ("." not in key or any(OSA.distance(key, one) <= _SLIP for one in KEYS)):
                table.refuse(f"'{key}' is no fact; {nearest(key, KEYS)}", name)
    table.close()
    return Checks(stop, review)


def stopped_for(dossier: Dossier, checks: Checks) -> Because | None:
    """Why a lead of which this is known is stopped in a vertical with these checks."""
    failed = _failed(dossier, checks.stop)
    if not failed:
        return None
    return because(BOT) if failed[0] == _BOT else because(FAILED, what=", ".join(failed))


def doubted_for(dossier: Dossier, checks: Checks, before: Dossier | None = None) -> Because | None:
    """Why it waits for a person; what was so ``before`` already, a person has seen."""
    failed = [key for key in _failed(dossier, checks.review) if before is None or before.outcome(key) != "fail"]
    return because(DOUBTED, what=", ".join(failed)) if failed else None


def _failed(dossier: Dossier, keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if dossier.outcome(key) == "fail"]


def checks_of(checks: Mapping[str, Checks], vertical: str) -> Checks:
    """A vertical's checks."""
    return checks.get(vertical, USUAL)
