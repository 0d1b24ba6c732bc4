"""What a person's own words mean for contact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadmill.policy import classify_reply, words_of
from leadmill.runtime.packs import BUILT_IN, Pack, load_packs

REVOKE = """
stop|STOP!!|Stop.|pls quit texting|please stop|STOP texting me|stop calling|unsubscribe|Unsubscribe me please|opt out
opt-out|OptOut|I want to opt out|opt me out|opt out of all messages|cancel|Cancel please|END|end this|revoke|quit
please end these messages|I revoke my consent|take me off your list|don't text me again|Don’t call me anymore
do not contact me|leave me alone|remove me from your list|lose my number|no more texts|Stop it|I want this to stop
I said stop|no, stop|stop i already bought one|Please remove my number|I don't want any more messages|stop all|STOPALL
stop sending me messages|can you please stop|I would like to unsubscribe|please cancel my subscription|end messages
I no longer wish to receive texts|I don't want to hear from you|cancel these texts|quit it|end all calls to this number
Please do not text|You need to stop calling my phone|make it stop|these texts need to stop|stop at once|stop the calls
please take my name off the list|hey can you guys stop calling me|I'd like to cancel|How do I opt out?|go away
unsubscribe from all|Yes please stop contacting me, thanks|I am revoking my consent|never call this number again
get off my phone|I want out of this list|please block me
I wish to revoke my permission|remove me|Stop now or I will sue|please stop these annoying calls|stop! I'm at work
"""
REVIEW = """
Stop by at 5?|when does it end?|Can we stop by the office tomorrow|I quit smoking last year|at the end of the month
does the lease end in June?|bus stop|I need to cancel my appointment on Tuesday|can you stop in on friday
end of day works|don't stop|The rain won't stop|did they revoke your license|I quit my job last month
cancel my old policy first?
will my coverage end?|what happens at the end|Should I cancel my current insurance?|Don't call me before 5
I work until the end of March|Is there a fee to cancel?|Stop over anytime|non-stop flights|wrong number
"""
NONE = """
this weekend works|no problem, Tuesday|Yes|call me at 5|Sounds good, thanks|I am interested|what is the price?|no
friend of mine told me|sure thing|I'm attending a wedding|nonstop|We are depending on you|what's the endpoint|quite good
I recommend it|please do not hesitate to call|Tuesday is better|unstoppable|Can you call tomorrow?|ok
"""


def said(table: str) -> list[str]:
    """The replies of a table."""
    return [text for line in table.strip().splitlines() for text in line.split("|")]


@pytest.mark.parametrize(("table", "meaning"), [(REVOKE, "revoke"), (REVIEW, "review"), (NONE, "none")])
def test_a_reply_is_read_as_it_was_meant(table: str, meaning: str) -> None:
    assert not {text: found for text in said(table) if (found := classify_reply(text)) != meaning}


@given(st.text(max_size=80))
def test_any_text_has_a_meaning(text: str) -> None:
    assert classify_reply(text) in ("revoke", "review", "none")


@given(st.sampled_from(said(REVOKE)), st.sampled_from([str.upper, str.title, "  {}  ".format, "{}!!!".format]))
def test_how_loud_it_is_said_changes_nothing(text: str, louder: object) -> None:
    assert callable(louder)
    assert classify_reply(louder(text)) == "revoke"


def test_the_words_are_those_of_the_packs_in_force() -> None:
    ours = load_packs(BUILT_IN).laws
    assert words_of({}) is classify_reply
    assert words_of(ours)("Stop") == "revoke"
    told = ours["us-tcpa"].files["replies.toml"]
    spanish = {**told, "words": {**told["words"], "per_se": [*told["words"]["per_se"], "genug"]}}
    mine = Pack("laws", "mine", "d", {"replies.toml": spanish})
    assert words_of(ours)("Genug") == "none"
    assert words_of({**ours, "mine": mine})("Genug") == "revoke"
    assert words_of({"mine": mine})("Genug") == "revoke"
