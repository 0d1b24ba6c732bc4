"""What is remembered of a person who comes back to a form: the answers that they gave the form's source before.

Called by the pages of hosted forms. Nothing of it is shown to anybody; it says which questions need not be asked, and
completes the answer. Another source's leads are none of the form's business, tests and rejected leads are not believed.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from leadmill.capture import TAKEN_OVER, Form, Lead, TakenAnswer, Vertical, answers_of, latest
from leadmill.core.reasons import State
from leadmill.flow.keep import Pen
from leadmill.flow.memory import Recalled, recall
from leadmill.flow.model import LeadFilter, LeadRow
from leadmill.flow.store import list_leads, read_lead
from leadmill.identity import Returning, read_prospect, seal_token
from leadmill.runtime.db import Tx
from leadmill.runtime.vault import Vault

LINK = "t"
"""The parameter under which a link that we mailed says who comes by it."""

_LINK_HOLDS = timedelta(days=30)
_MOST_LEADS = 20
"""Leads that are looked through, the newest first."""


async def remember(
    tx: Tx, pen: Pen, lead_id: str, form: Form, verticals: Mapping[str, Vertical]
) -> dict[str, TakenAnswer]:
    """What the person of a lead last answered to each question, and when; nothing where the lead is another source's,
    or the person was forgotten."""
    row = await read_lead(tx, lead_id)
    if row is None or row.source_id != form.source_id:
        return {}
    rows: list[LeadRow] = []
    for person_id in (await read_prospect(tx, row.person_id)).persons:
        narrow = LeadFilter(person_id=person_id, source_id=form.source_id, test=False)
        rows += (await list_leads(tx, narrow, limit=_MOST_LEADS))[0]
    ids = sorted((each.id for each in rows if each.state is not State.REJECTED), reverse=True)[:_MOST_LEADS]
    found = await recall(tx, pen, ids)
    return latest(item for each in found.values() for item in _answers(each, verticals.get(each.row.vertical)))


def _answers(recalled: Recalled, vertical: Vertical | None) -> Iterable[TakenAnswer]:
    lead = recalled.lead
    if lead is None or vertical is None:
        return ()
    told = lead.context.get(TAKEN_OVER)
    made = recalled.corrections.items if recalled.corrections is not None else ()
    put_right = [TakenAnswer(item.name, item.value, lead.id, item.at) for item in made if item.of == "field"]
    return answers_of(lead, told if isinstance(told, list) else (), put_right, vertical.sensitive)


def way_back(vault: Vault, forms: Mapping[str, Form], lead: Lead, public_url: str, now: datetime) -> str:
    """A link to the progressive form of the lead's source and vertical, for a letter to its person, good for 30 days;
    nothing where there is no such form, or no address under which it is reached."""
    found = (forms[name] for name in sorted(forms) if forms[name].progressive is not None)
    form = next((one for one in found if (one.source_id, one.vertical) == (lead.source_id, lead.vertical)), None)
    if form is None or not public_url:
        return ""
    token = Returning(lead.id, lead.source_id, int((now + _LINK_HOLDS).timestamp()))
    return f"{public_url.rstrip('/')}/f/{form.id}?{LINK}={seal_token(vault, token)}"
