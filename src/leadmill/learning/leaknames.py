"""What columns are called that are written after the outcome, or may be. Names only raise or lower what figures say;
a name alone accuses nobody. Pure; called by :mod:`leadmill.learning.suspects`."""

import re
from typing import Literal

from leadmill.learning.kinds import plain

Called = Literal["afterwards", "own", "perhaps", ""]
"""``afterwards``: written after the outcome, as far as names go; ``own``: so called, and as often something honest
(a credit's ``duration``); ``perhaps``: may be changed afterwards."""

_AFTERWARDS = re.compile(
    r"\b(tags?|disposition|dispo|(lost|win|loss|won|churn|close|closing|cancel(lation)?|decline|reject(ion|ed)?) reason"
    r"|reason (for )?(lost|won|closed|loss|churn|cancell?ation|leaving)|closed? (date|time|at|on)|"
    r"(date|time) (closed|converted|won|lost)|(won|lost|converted|sold|signed|cancell?ed|churned) (date|time|at|on)|"
    r"conversion (date|time|at)|contract (date|value|signed)|deal (value|stage)|"
    r"(sales|pipeline|opportunity|opp|funnel) stage|last notable \w+|lead (quality|profile|stage|status|grade)|"
    r"(call|talk|contact|conversation) (duration|length|seconds?|secs?|minutes?|mins?|time)|"
    r"(duration|length|minutes|seconds) (of|on) (the )?(call|phone|contact)|handle time|"
    r"outcome date|(paid|payment|refund|cancell?ation|cancel|churn) (date|at|on|amount)|"
    r"churn (score|value|category)|reservation status( date)?|(loan|deal|order|application|policy) status|"
    r"recoveries|collection recovery fee|total (pymnt|rec (prncp|int|late fee))( inv)?|last pymnt \w+|out prncp( inv)?|"
    r"post (?!code)\w+|after \w+|final \w+|page ?values?)\b",
    re.IGNORECASE,
)
_OWN = frozenset({"duration", "result", "won", "lost", "converted", "revenue", "commission", "outcome", "stage"})
"""Words that tell on a column where they are its whole name."""
_PERHAPS = re.compile(
    r"\b(last \w+|status|stage|score|index|grade|quality|profile|outcome|updated|modified|notes?|comments?|"
    r"follow ?ups?|closing|agent|feedback|next \w+|amount|calls?|contacts|touches|touch ?points|attempts|meetings?|"
    r"(avg|mean|average|target|win|success|conversion|churn|default) (rate|target|mean|enc|encoded)|te|reached)\b",
    re.IGNORECASE,
)
_STATE = re.compile(r"\b(status|stage|state of|phase|step|disposition|result|outcome)\b", re.IGNORECASE)


def called(name: str) -> Called:
    """What a column's name says of when it is written."""
    words = plain(name)
    if words in _OWN:
        return "own"
    if _AFTERWARDS.search(words):
        return "afterwards"
    return "perhaps" if _PERHAPS.search(words) else ""


def of_state(name: str) -> bool:
    """Whether a column is called like something that moves on as its row is worked."""
    return _STATE.search(plain(name)) is not None
