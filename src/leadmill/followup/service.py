"""The verbs of follow-up: read the templates, plan a sending, write the letter, send it, settle.

Called by ``flow``: by the book when rules are assembled, and by the worker's job handler, which opens the lead
between :func:`plan_sending` and :func:`settle_sending`. A message may go out twice (a worker can die between sending
and settling) but always under the same id.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from leadmill.capture import Lead
from leadmill.core.conversation import Outgoing, Reply
from leadmill.core.events import Event
from leadmill.core.faults import Fault, Transient
from leadmill.core.verdicts import Rule
from leadmill.followup import store
from leadmill.followup.model import (
    Kind,
    Letter,
    MessageDeferred,
    MessageFailed,
    MessageRetrying,
    MessageSent,
    Messenger,
    Sending,
    SendOutcome,
    State,
    Template,
    Templates,
)
from leadmill.followup.rules import as_html, details, fill, given_name, line, next_wait, read_messages
from leadmill.parties import Roster
from leadmill.runtime.db import Tx
from leadmill.runtime.packs import Packs

LEASE = timedelta(minutes=3)
"""How long sending may take before it counts as lost."""

LEAVING = "To hear no more from us: {}"
"""What stands under every message to a person, with the address."""

_FILE = "messages.toml"


def read_templates(packs: Packs, *, mail: bool = True) -> Templates:
    """The messages of every vertical: its own ``messages.toml`` over the common one; none at all where there is no
    ``mail`` server to send them by. Raises :class:`BadInput` ``config.message.malformed``."""
    common = read_messages(packs.common.files.get(_FILE, {}), "packs/common/messages.toml")
    verticals: dict[str, dict[Kind, Template]] = {}
    for name, pack in packs.verticals.items():
        own = read_messages(pack.files.get(_FILE, {}), f"packs/verticals/{name}/messages.toml")
        both = common | own
        verticals[name] = {kind: template for kind, template in both.items() if mail and template is not None}
    titles = {name: str(pack.file("pack.toml").get("title", name)) for name, pack in packs.verticals.items()}
    return Templates(verticals, titles)


async def plan_sending(tx: Tx, message_id: str, now: datetime) -> Sending | None:
    """Claim the next attempt; None where nothing is left to do. Raises :class:`Transient` ``followup.attempt.early``
    where it is not due or another worker is at it: the job must come back, for that worker may be dead."""
    sending = await store.claim(tx, message_id, now, LEASE)
    if sending is not None:
        return sending
    message = await store.find(tx, message_id)
    if message is None or message.state not in ("queued", "retrying") or message.next_at is None:
        return None
    wait = max(0.5, (message.next_at - now).total_seconds())
    raise Transient("followup.attempt.early", "not due, or another worker is at it", after=wait)


def compose_letter(
    sending: Sending, lead: Lead, roster: Roster, templates: Templates, link: str = "", out: str = ""
) -> Letter | None:
    """The message written; None where there is nobody to write to any more, or no template. ``link`` is the person's
    own way back to a form, for nobody else. One to the person names ``out``, the address at which to unsubscribe, in
    its text and for mail programs (RFC 8058)."""
    template = templates.verticals.get(lead.vertical, {}).get(sending.kind)
    to, recipient = _address(sending, lead, roster)
    if template is None or not to:
        return None
    values = {
        "first_name": given_name(lead.fields.get("first_name")),
        "vertical": templates.titles.get(lead.vertical, lead.vertical).lower(),
        "lead_id": lead.id,
        "recipient": line(recipient),
    }
    if sending.kind == "ack":
        values["link"] = link
    if sending.kind == "alert":
        values["details"] = details(lead.fields)
    text = fill(template.text, values)
    headers: dict[str, str] = {}
    if out and sending.kind == "ack":
        text = f"{text}\n{LEAVING.format(out)}\n"
        headers = {"List-Unsubscribe": f"<{out}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    subject = line(fill(template.subject, values))
    return Letter(sending.message_id, sending.kind, to, subject, text, as_html(text), headers=headers)


async def read_sent(
    messengers: Mapping[str, Messenger],
    sending: Sending,
    letter: Letter | None,
    perform: Callable[[Outgoing], Awaitable[Reply]],
) -> SendOutcome:
    """Send the letter by its messenger and read what came back; faults on the way become outcomes."""
    messenger = messengers.get(sending.messenger)
    if letter is None:
        return SendOutcome("failed", "followup.addressee.gone")
    if messenger is None:
        return SendOutcome("failed", "followup.messenger.unknown")
    try:
        return messenger.read(letter, await perform(messenger.ask(letter)))
    except Transient as fault:
        return SendOutcome("retry", fault.code, fault.after)
    except Fault as fault:
        return SendOutcome("failed", fault.code)


async def settle_sending(
    tx: Tx, sending: Sending, outcome: SendOutcome, now: datetime, *, jitter: float
) -> list[Event]:
    """Record how sending ended; the events to append, none where it was settled before. ``jitter`` is from 0 to 1."""
    common: dict[str, Any] = {
        "at": now,
        "message_id": sending.message_id,
        "kind": sending.kind,
        "addressee": sending.addressee,
        "attempt": sending.no,
        "code": outcome.code,
    }
    wait = next_wait(sending.no, jitter, outcome.after) if outcome.kind == "retry" else None
    next_at = now + timedelta(seconds=wait) if wait is not None else None
    state: State = "sent" if outcome.kind == "sent" else "retrying" if next_at is not None else "failed"
    if not await store.settle(tx, sending, state, outcome.code, next_at, now):
        return []
    if state == "sent":
        return [MessageSent(**common)]
    if next_at is None:
        return [MessageFailed(**common, says=outcome.says, rules=outcome.rules)]
    store.put_job(tx, sending.message_id, sending.no + 1, next_at, now)
    return [MessageRetrying(**common, next_at=next_at)]


async def defer_sending(
    tx: Tx, sending: Sending, until: datetime, code: str, says: str, rules: tuple[Rule, ...], now: datetime
) -> list[Event]:
    """Put a message off that may not go out yet, in the transaction that claimed it; the events to append."""
    if not await store.put_off(tx, sending, until):
        return []
    # Its own number, for the job of this attempt is done.
    store.put_job(tx, sending.message_id, sending.no, until, now, f"until {until:%Y%m%dT%H%M%S}")
    return [
        MessageDeferred(
            at=now,
            message_id=sending.message_id,
            kind=sending.kind,
            addressee=sending.addressee,
            attempt=sending.no,
            code=code,
            until=until,
            says=says,
            rules=rules,
        )
    ]


async def stop_messages(tx: Tx, lead_id: str, code: str, now: datetime) -> list[Event]:
    """Call off every message about a lead that has not gone out; ``code`` says why. One in flight finishes."""
    return [
        MessageFailed(
            at=now,
            message_id=one.message_id,
            kind=one.kind,
            addressee=one.addressee,
            attempt=one.attempts,
            code=code,
        )
        for one in await store.stop(tx, lead_id, code, now)
    ]


def _address(sending: Sending, lead: Lead, roster: Roster) -> tuple[str, str]:
    """The address as it is now, and the recipient's name."""
    if sending.kind == "ack":
        return str(lead.fields.get("email") or ""), ""
    team_id, slash, rep_id = sending.addressee.partition("/")
    recipient = roster.recipient(team_id)
    if recipient is None:
        return "", ""
    if slash:
        team = roster.teams.get(team_id)
        found = [rep for rep in team.reps if rep.id == rep_id] if team is not None else []
        return (found[0].email, found[0].name or rep_id) if found else ("", "")
    return (recipient.alert.email if recipient.alert is not None else ""), recipient.name
