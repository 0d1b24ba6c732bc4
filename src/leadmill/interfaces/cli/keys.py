"""``leadmill key``: API keys for programs: a source's, a buyer's, or one with an operator's role."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from leadmill.core.faults import BadInput
from leadmill.interfaces.cli.frame import DatabaseUrl, HomeDir, Json, document, err, listing, out, run, settings
from leadmill.interfaces.cli.master import add_rotation
from leadmill.interfaces.house import House, Opener
from leadmill.parties import Role, issue_key, revoke_key
from leadmill.parties.store import list_keys


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""
    keys = typer.Typer(help="API keys: made, listed, revoked.", no_args_is_help=True)
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
                )
            if as_json:
                document({"id": made.id, "owner": owner, "key": key, "expires_at": made.expires_at})
            else:
                out.print(key, markup=False)
                err.print(f"{made.id}: keep it now, it is not shown again", markup=False)
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
                ["id", "kind", "owner", "role", "good"],
                lambda one: [one.id, one.kind, one.owner, one.role or "–", _until(one.expires_at, one.revoked_at)],
            )
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
            document({"id": key_id, "revoked": True}) if as_json else out.print(f"{key_id} is revoked.", markup=False)
            return 0

        run(opener, settings(home, database_url), act)


def _until(expires: datetime | None, revoked: datetime | None) -> str:
    if revoked is not None:
        return f"revoked {revoked.astimezone(UTC):%Y-%m-%d}"
    return f"until {expires.astimezone(UTC):%Y-%m-%d}" if expires else "without end"
