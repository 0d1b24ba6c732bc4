"""``leadmill privacy``: what consumers ask, from the command line."""

from typing import Annotated, Any

import msgspec
import typer

from leadmill.core.faults import BadInput, NotFound
from leadmill.core.ids import looks_like
from leadmill.flow.rights import (
    Plea,
    acknowledge_request,
    appeal_request,
    begin_request,
    confirm_by_hand,
    decide_on_appeal,
    deny_request,
    extend_request,
    take_request,
)
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
        request: str, home: str | None, database_url: str | None, as_json: bool, deed: Any
    ) -> None:  # fmt: skip
        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                one = await deed(tx, house, (await _find(tx, request)).id)
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

        async def deed(tx: Tx, house: House, ident: str) -> PrivacyRequest:
            return await confirm_by_hand(tx, house.kit, ident, level, person, saw, _BY, house.clock())

        decided(request, home, database_url, as_json, deed)

    @family.command("acknowledge", epilog="Example: leadmill privacy acknowledge prv_01…")
    def acknowledge(
        request: RequestId, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """Take down that the person was told that it has come."""

        async def deed(tx: Tx, house: House, ident: str) -> PrivacyRequest:
            await acknowledge_request(tx, house.kit, ident, _BY, house.clock())
            return await _find(tx, ident)

        decided(request, home, database_url, as_json, deed)

    @family.command("extend", epilog="Example: leadmill privacy extend prv_01… --why 'We look through old records.'")
    def extend(
        request: RequestId, why: Why, home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False
    ) -> None:
        """Take more time, once; the person is told why."""

        async def deed(tx: Tx, house: House, ident: str) -> PrivacyRequest:
            return await extend_request(tx, house.kit, ident, why, _BY, house.clock())

        decided(request, home, database_url, as_json, deed)

    @family.command("fulfil", epilog="Example: leadmill privacy fulfil prv_01… --yes")
    def fulfil(
        request: RequestId,
        yes: Annotated[bool, typer.Option("--yes", help="Needed for deletions, which cannot be undone.")] = False,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Have a request carried out by a running worker."""

        async def deed(tx: Tx, house: House, ident: str) -> PrivacyRequest:
            if (await _find(tx, ident)).kind == "delete" and not yes:
                raise BadInput("cli.deletion.unsure", "a deletion cannot be undone: add --yes")
            return await begin_request(tx, house.kit, ident, _BY, house.clock())

        decided(request, home, database_url, as_json, deed)

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

        async def deed(tx: Tx, house: House, ident: str) -> PrivacyRequest:
            return await deny_request(tx, house.kit, ident, ground, citation, why, _BY, house.clock())

        decided(request, home, database_url, as_json, deed)

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

        async def deed(tx: Tx, house: House, ident: str) -> PrivacyRequest:
            if granted is None:
                return await appeal_request(tx, house.kit, ident, why, _BY, house.clock())
            return await decide_on_appeal(tx, house.kit, ident, granted, why, _BY, house.clock())

        decided(request, home, database_url, as_json, deed)


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
