"""``leadmill key``: API keys for programs: a source's, a buyer's, or one with an operator's role."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.core.faults import BadInput
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, err, listing, out, run, settings
from leadmill.interfaces.cli.master import add_rotation
from leadmill.interfaces.house import House, Opener
from leadmill.parties import ApiKey, Role, issue_key, revoke_key, rotate_key
from leadmill.parties.service.keys import LONGEST_OVERLAP
from leadmill.parties.store import list_keys


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""
    keys = typer.Typer(help="API keys: made, listed, rotated, revoked.", no_args_is_help=True)
    app.add_typer(keys, name="key")
    add_rotation(keys, opener)

    @keys.command("add", epilog="Example: leadmill key add reports --role analyst --days 90")
    def add(
        owner: Annotated[str, typer.Argument(help="The source's or buyer's id; for a role, any name.")],
        source: Annotated[bool, typer.Option("--source", help="A key for sending leads.")] = False,
        buyer: Annotated[bool, typer.Option("--buyer", help="A key for reporting outcomes.")] = False,
        role: Annotated[Role | None, typer.Option(help="A key for reading leads with this role.")] = None,
        days: Annotated[
            int | None, typer.Option(min=1, max=36_500, help="Days it stays good; without end if left out.")
        ] = None,
        scope: Annotated[
            list[str] | None,
            typer.Option(help="A part of the API that it reaches, such as leads:read; repeat it. All if left out."),
        ] = None,
        masked: Annotated[bool, typer.Option("--masked", help="It sees no personal value, whatever its role.")] = False,
        per_minute: Annotated[
            int, typer.Option(min=0, max=1_000_000, help="Calls a minute that it may make; 0 for any number.")
        ] = 0,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Make a key. It is shown this once and stored only as a hash."""

        async def act(house: House) -> int:
            if source + buyer + (role is not None) != 1:
                raise BadInput("cli.key.kind", "choose one of --source, --buyer and --role")
            roster = house.book.walk().rules.roster
            if (source and owner not in roster.sources) or (buyer and owner not in roster.buyers):
                raise BadInput("cli.key.owner", f"there is no {'source' if source else 'buyer'} {owner}")
            now = house.clock()
            async with house.db.begin() as tx:
                key, made = await issue_key(
                    tx,
                    house.vault.keyed_hash,
                    house.mint,
                    secrets.token_bytes,
                    kind="source" if source else "buyer" if buyer else "operator",
                    owner=owner,
                    now=now,
                    role=role,
                    label="made on the command line",
                    expires_at=now + timedelta(days=days) if days else None,
                    scopes=scope or None,
                    masked=masked,
                    per_minute=per_minute,
                )
                note_act(tx, Act(now, COMMAND_LINE, "key_made", made.id))
            _show(key, made, as_json)
            return 0

        run(opener, settings(home, database_url), act)

    @keys.command("list", epilog="Example: leadmill key list")
    def everyone(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """List keys: whose they are and until when, never the keys themselves."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                found = await list_keys(tx)
            listing(
                found,
                as_json,
                "API keys",
                ["id", "kind", "owner", "role", "reaches", "last used", "good"],
                lambda one: [
                    one.id,
                    one.kind,
                    one.owner,
                    f"{one.role or '–'}{', masked' if one.masked else ''}",
                    "all" if one.scopes is None else " ".join(one.scopes),
                    f"{one.seen_at.astimezone(UTC):%Y-%m-%d}" if one.seen_at else "–",
                    _until(one.expires_at, one.revoked_at),
                ],
            )
            return 0

        run(opener, settings(home, database_url), act)

    @keys.command("rotate", epilog="Example: leadmill key rotate key_01k9x2m4… --overlap-days 7")
    def rotate(
        key_id: Annotated[str, typer.Argument(help="The key's id, from the list.")],
        overlap_days: Annotated[
            int, typer.Option(min=0, max=LONGEST_OVERLAP.days, help="Days that the old key stays good beside it.")
        ] = 7,
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Make a key that takes another's place; both are good for a while, so that programs can change over."""

        async def act(house: House) -> int:
            now = house.clock()
            async with house.db.begin() as tx:
                key, made = await rotate_key(
                    tx,
                    house.vault.keyed_hash,
                    house.mint,
                    secrets.token_bytes,
                    key_id=key_id,
                    overlap=timedelta(days=overlap_days),
                    now=now,
                )
                note_act(tx, Act(now, COMMAND_LINE, "key_rotated", key_id))
            _show(key, made, as_json)
            return 0

        run(opener, settings(home, database_url), act)

    @keys.command("revoke", epilog="Example: leadmill key revoke key_01k9x2m4…")
    def revoke(
        key_id: Annotated[str, typer.Argument(help="The key's id, from the list.")],
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Revoke a key; every process knows within a second."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                await revoke_key(tx, key_id, house.clock())
                note_act(tx, Act(house.clock(), COMMAND_LINE, "key_revoked", key_id))
            document({"id": key_id, "revoked": True}) if as_json else out.print(f"{key_id} is revoked.", markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _show(key: str, made: ApiKey, as_json: bool) -> None:
    if as_json:
        document({"id": made.id, "owner": made.owner, "key": key, "expires_at": made.expires_at})
    else:
        out.print(key, markup=False)
        err.print(f"{made.id}: keep it now, it is not shown again", markup=False)


def _until(expires: datetime | None, revoked: datetime | None) -> str:
    if revoked is not None:
        return f"revoked {revoked.astimezone(UTC):%Y-%m-%d}"
    return f"until {expires.astimezone(UTC):%Y-%m-%d}" if expires else "without end"
