"""``leadmill privacy``: what consumers ask, from the command line."""

from typing import Annotated, Any

import msgspec
import typer

from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.rights import Action, Decision, Plea, decide, take_request
from leadmill.interfaces.cli.frame import FINDINGS, DatabaseUrl, HomeDir, Json, document, out, run, settings, table
from leadmill.interfaces.cli.holdings import add_holdings
from leadmill.interfaces.house import House, Opener
from leadmill.privacy import (
    GROUNDS,
    PrivacyAnswer,
    PrivacyRequest,
    Statement,
    find_request,
    last_day,
    list_requests,
    next_due,
    note_read,
    notes_of,
    open_answer,
    open_note,
    open_told,
)
from leadmill.runtime.db import Tx

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]
Why = Annotated[str, typer.Option(help="Why; the person reads it.")]
_BY = "command"


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""
    family = typer.Typer(help="What consumers ask: know, delete, correct, opt out, limit.", no_args_is_help=True)
    app.add_typer(family, name="privacy")
    add_holdings(family, opener)
    _add_reading(family, opener)
    _add_deciding(family, opener)


def _add_reading(family: typer.Typer, opener: Opener) -> None:
    @family.command("list", epilog="Example: leadmill privacy list")
    def show_all(
        everything: Annotated[bool, typer.Option("--all", help="Those that are answered as well.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """List requests: what waits, the most urgent first. Ends with status 1 where one is late."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                found = await list_requests(tx, by_due=not everything, limit=500)
            now = house.clock()
            late = [one for one in found if (due := next_due(one)) is not None and due <= now]
            if as_json:
                document({"requests": [_told(one) for one in found], "late": len(late)})
            elif found:
                rows = [
                    [one.id, one.kind, one.state, one.level, one.home, _due(one) or "", f"{one.received_at:%Y-%m-%d}"]
                    for one in found
                ]
                columns = ["Request", "Asks to", "State", "Sure", "Lives in", "Owed by", "Received"]
                table("Requests", columns, rows)
            else:
                out.print("Nothing waits.")
            return FINDINGS if late else 0

        run(opener, settings(home, database_url), act)

    @family.command("show", epilog="Example: leadmill privacy show prv_01m811p9ghe50ak6pw47d041v0 --json")
    def show(request: RequestId, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Show a request: who asks, what happened, what was answered. The reading is noted."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                one = await _find(tx, request)
                notes = await notes_of(tx, one.id)
                await note_read(tx, one.id, notes, _BY, house.clock())
            told, plain = open_told(house.vault, one), open_answer(house.vault, one)
            steps = [(each.at, each.what, each.by, open_note(house.vault, one, each.note)) for each in notes]
            if as_json:
                document(
                    {
                        **_told(one),
                        "told": msgspec.to_builtins(told),
                        "steps": [dict(zip(("at", "what", "by", "note"), step, strict=True)) for step in steps],
                        "answer": msgspec.to_builtins(msgspec.json.decode(plain, type=PrivacyAnswer))
                        if plain
                        else None,
                        "certificate": msgspec.json.decode(one.certificate) if one.certificate else None,
                    }
                )
                return 0
            out.print(f"{one.kind} {one.state}, {one.level}; owed by {_due(one) or 'nothing'} ({one.citation})")
            out.print(f"{told.name} {told.email} {told.phone}".strip(), markup=False)
            for at, what, by, note in steps:
                out.print(f"{at:%Y-%m-%d %H:%M}  {what.replace('_', ' ')}  {by}  {note}".rstrip(), markup=False)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command("add", epilog="Example: leadmill privacy add delete --home-state CA --email ana.ruiz@example.com")
    def add(
        kind: Annotated[str, typer.Argument(metavar="KIND", help="know, delete, correct, opt_out or limit.")],
        home_state: Annotated[str, typer.Option(help="Where they live: two letters, or ELSEWHERE.")] = "",
        name: Annotated[str, typer.Option(help="Their name.")] = "",
        email: Annotated[str, typer.Option(help="Their e-mail address.")] = "",
        phone: Annotated[str, typer.Option(help="Their phone number.")] = "",
        change: Annotated[list[str] | None, typer.Option(help="What is right, such as zip=95816; repeatable.")] = None,
        words: Annotated[str, typer.Option(help="What they wrote.")] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Write down a request that came by telephone or letter. Its clock runs from now."""
        changes = dict(each.partition("=")[::2] for each in change or ())
        told = Statement(name=name, email=email, phone=phone, words=words, changes=changes)
        plea = Plea(kind=kind, channel="command", by=_BY, home=home_state, told=told)

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                taken = await take_request(tx, house.kit, plea, house.clock())
            _say(taken.request, as_json)
            return 0

        run(opener, settings(home, database_url), act)


def _add_deciding(family: typer.Typer, opener: Opener) -> None:
    def decided(
        request: str, home: str | None, database_url: str | None, as_json: bool, said: Decision, sure: bool = True
    ) -> None:
        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                one = await _find(tx, request)
                if one.kind == "delete" and not sure:
                    raise BadInput("cli.deletion.unsure", "a deletion cannot be undone: add --yes")
                one = await decide(tx, house.kit, one.id, said, _BY, house.clock())
                what = "request_carried_out" if said.action == "fulfil" else "request_decided"
                note_act(tx, Act(house.clock(), COMMAND_LINE, what, one.id))
            _say(one, as_json)
            return 0

        run(opener, settings(home, database_url), act)

    @family.command(
        "confirm",
        epilog="Example: leadmill privacy confirm prv_01… --level high --saw 'called back the number we hold'",
    )
    def confirm(
        request: RequestId,
        level: Annotated[str, typer.Option(help="reasonable or high.")] = "reasonable",
        saw: Annotated[str, typer.Option(help="What was seen that makes it sure.")] = "",
        person: Annotated[str, typer.Option(help="Whose request it is, where several may be meant.")] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Take down that it is the person who asks."""

        said = Decision(action="confirm", level=level, person_id=person, saw=saw)
        decided(request, home, database_url, as_json, said)

    @family.command("acknowledge", epilog="Example: leadmill privacy acknowledge prv_01…")
    def acknowledge(
        request: RequestId, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """Take down that the person was told that it has come."""

        decided(request, home, database_url, as_json, Decision(action="acknowledge"))

    @family.command("extend", epilog="Example: leadmill privacy extend prv_01… --why 'We look through old records.'")
    def extend(
        request: RequestId, why: Why, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """Take more time, once; the person is told why."""

        decided(request, home, database_url, as_json, Decision(action="extend", why=why))

    @family.command("fulfil", epilog="Example: leadmill privacy fulfil prv_01… --yes")
    def fulfil(
        request: RequestId,
        yes: Annotated[bool, typer.Option("--yes", help="Needed for deletions, which cannot be undone.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Have a request carried out by a running worker."""

        decided(request, home, database_url, as_json, Decision(action="fulfil"), sure=yes)

    @family.command("deny", epilog="Example: leadmill privacy deny prv_01… --ground accurate --why 'We checked it.'")
    def deny(
        request: RequestId,
        why: Why,
        ground: Annotated[str, typer.Option(help=f"One of {', '.join(GROUNDS)}.")] = "unverified",
        citation: Annotated[str, typer.Option(help="The law, where it is another than the ground's.")] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Refuse a request; the person is told on which ground and why."""

        decided(
            request, home, database_url, as_json, Decision(action="deny", ground=ground, citation=citation, why=why)
        )

    @family.command("appeal", epilog="Example: leadmill privacy appeal prv_01… --granted --why 'They are right.'")
    def appeal(
        request: RequestId,
        why: Why,
        granted: Annotated[bool | None, typer.Option("--granted/--refused", help="Decide an appeal.")] = None,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Write an appeal down, or decide one."""

        action: Action = "appeal" if granted is None else "decide"
        decided(request, home, database_url, as_json, Decision(action=action, why=why, granted=granted is True))


async def _find(tx: Tx, request_id: str) -> PrivacyRequest:
    one = await find_request(tx, request_id) if looks_like(request_id, "prv") else None
    if one is None:
        raise NotFound("privacy.request.unknown", "there is no such request")
    return one


def _due(one: PrivacyRequest) -> str | None:
    due = next_due(one)
    return last_day(due).isoformat() if due is not None else None


def _told(one: PrivacyRequest) -> dict[str, Any]:
    return {
        "request_id": one.id,
        "kind": one.kind,
        "state": one.state,
        "level": one.level,
        "home": one.home,
        "received_at": one.received_at.isoformat(),
        "due": _due(one),
        "answer_due": last_day(one.answer_due_at).isoformat(),
        "citation": one.citation,
        "outcome": one.outcome,
    }


def _say(one: PrivacyRequest, as_json: bool) -> None:
    if as_json:
        document(_told(one))
    else:
        due = _due(one)
        out.print(f"{one.id}: {one.state}{f', owed by {due}' if due else ''}", markup=False)
