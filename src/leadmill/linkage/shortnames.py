"""Which given names are forms of one another (Bill, Will and Liam of William), from the package ``nicknames``."""

from collections import defaultdict
from functools import cache

from nicknames import name_triplets

_NONE: frozenset[str] = frozenset()


@cache
def _forms() -> dict[str, frozenset[str]]:
    canonical: defaultdict[str, set[str]] = defaultdict(set)
    for triplet in name_triplets():
        canonical[triplet.name2].add(triplet.name1)
        canonical[triplet.name1].add(triplet.name1)
    return {name: frozenset(full) for name, full in canonical.items()}


def canonical_names(name: str) -> frozenset[str]:
    """The full names that this one may stand for, itself among them if it is one; none for a name not listed."""
    return _forms().get(name, _NONE)
