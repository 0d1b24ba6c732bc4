"""``leadmill doctor`` and ``leadmill user``: is everything in order, and who may sign in."""

import shutil
import sys
from typing import Annotated

import typer
from msgspec import Struct

from leadmill import __version__
from leadmill.access import COMMAND_LINE, Act, note_act
from leadmill.access.service import reset_factors
from leadmill.core.faults import Fault, NotFound
from leadmill.flow.tenants import WALLS
from leadmill.interfaces.cli.frame import (
    FINDINGS,
    DatabaseUrl,
    HomeDir,
    Json,
    document,
    guarded,
    listing,
    out,
    run,
    settings,
)
from leadmill.interfaces.house import House, Opener
from leadmill.parties import Role, read_address
from leadmill.parties.service import add_operator
from leadmill.parties.store import find_sign_in, list_operators
from leadmill.runtime.jobs import kept
from leadmill.runtime.plugins import find_plugins
from leadmill.runtime.walls import ROLE, standing


class Check(Struct, frozen=True):
    """One thing looked at: whether it is in order, what was found, and what to do where it is not."""

    name: str
    ok: bool
    found: str
    mend: str = ""


def add_to(app: typer.Typer, opener: Opener) -> None:
    """Add the commands to the program."""

    @app.command("doctor", epilog="Example: leadmill doctor --home ./.leadmill")
    def doctor(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """Check the installation and say what to mend."""
        checks: list[Check] = []

        async def act(house: House) -> int:
            checks.extend(_still(house))
            checks.extend(await _inside(house))
            return 0

        def whole() -> int:
            chosen = settings(home, database_url)
            try:
                run(opener, chosen, act)
            except typer.Exit as ended:
                return int(ended.exit_code)

        status = guarded(whole)
        if status:
            checks.append(Check("store", False, "the store could not be opened", "see the message above"))
        if as_json:
            document({"version": __version__, "checks": checks})
        else:
            for one in checks:
                mark = "ok" if one.ok else "[bold]!![/]"
                out.print(f"{mark} {one.name}: {one.found}" + (f" → {one.mend}" if one.mend else ""))
        raise typer.Exit(FINDINGS if any(not one.ok for one in checks) else 0)

    users = typer.Typer(help="Who may sign in to the console.", no_args_is_help=True)
    app.add_typer(users, name="user")

    @users.command("add", epilog="Example: leadmill user add ana@example.com --role operator")
    def add(
        email: Annotated[str, typer.Argument(help="The address to sign in with.")],
        role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.OPERATOR,
        name: Annotated[str, typer.Option(help="How the person is called.")] = "",
        password: Annotated[
            str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="At least 12 characters.")
        ] = "",
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Add a person."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                made = await add_operator(
                    tx, house.mint, email=email, name=name or email, role=role, password=password, now=house.clock()
                )
                note_act(tx, Act(house.clock(), COMMAND_LINE, "operator_added", made.id))
            if as_json:
                document(made)
            else:
                out.print(f"{made.email} may sign in as {made.role}.", markup=False)
            return 0

        run(opener, settings(home, database_url), act)

    @users.command("reset-factors", epilog="Example: leadmill user reset-factors ana@example.com")
    def reset(
        email: Annotated[str, typer.Argument(help="The address that the person signs in with.")],
        home: HomeDir = None,
        database_url: DatabaseUrl = None,
        as_json: Json = False,
    ) -> None:
        """Take all second factors of a person away who lost them; make sure first who asks."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                found = await find_sign_in(tx, read_address(email))
                if found is None:
                    raise NotFound("parties.operator.unknown", "nobody signs in with this address")
                await reset_factors(tx, found[0].id, COMMAND_LINE, house.clock())
            if as_json:
                document({"id": found[0].id, "reset": True})
            else:
                out.print(f"{found[0].email} signs in with the password alone now.", markup=False)
            return 0

        run(opener, settings(home, database_url), act)

    @users.command("list", epilog="Example: leadmill user list")
    def everyone(home: HomeDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
        """List who may sign in."""

        async def act(house: House) -> int:
            async with house.db.begin() as tx:
                found = await list_operators(tx)
            columns = ["e-mail", "name", "role"]
            listing(found, as_json, "Operators", columns, lambda one: [one.email, one.name, one.role.value])
            return 0

        run(opener, settings(home, database_url), act)


def _still(house: House) -> list[Check]:
    """What can be seen without asking the store."""
    version, new = ".".join(map(str, sys.version_info[:3])), sys.version_info >= (3, 11)
    free = shutil.disk_usage(house.settings.home).free
    key = house.settings.home / "master.key"
    relay = house.settings.smtp_host
    open_to_others = key.exists() and key.stat().st_mode & 0o077
    broken = find_plugins().broken
    return [
        Check("python", new, version, "" if new else "use Python 3.11 or newer"),
        Check("disk", free > 1 << 30, f"{free >> 30} GiB free", "" if free > 1 << 30 else "make room"),
        Check(
            "master key",
            not open_to_others,
            "from the environment" if "LEADMILL_MASTER_KEY" in house.environ else "home/master.key",
            f"chmod 600 {key}" if open_to_others else "",
        ),
        Check("mail", bool(relay), relay or "no relay", "" if relay else "set LEADMILL_SMTP_HOST"),
        Check(
            "plug-ins",
            not broken,
            f"{len(house.plugins.found)} installed" + "".join(f", {one.name} broken ({one.problem})" for one in broken),
            "reinstall the broken ones" if broken else "",
        ),
    ]


async def _inside(house: House) -> list[Check]:
    """What the store says."""
    checks: list[Check] = []
    async with house.db.begin() as tx:
        row = await tx.conn.fetchval("SHOW server_version")
        jobs = await kept(tx)
        people = await list_operators(tx)
        walled = await standing(tx, WALLS)
        logged = house.erasures.path
    dead = sum(one.dead for one in jobs)
    rules = house.book.walk().rules
    checks.append(Check("store", True, f"PostgreSQL {row}"))
    checks.append(Check("dead jobs", dead == 0, str(dead), "resend or discard them in the console" if dead else ""))
    wall = Check(
        "walls between tenants",
        walled,
        "row-level security stands" if walled else "no row-level security: the statements' own conditions alone",
        "" if walled else f"as a superuser: CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO the user of Leadmill",
    )
    checks.append(wall)
    checks.append(Check("log of erasures", True, str(logged)))
    mend = "" if people else "leadmill user add EMAIL --role admin"
    checks.append(Check("operators", bool(people), str(len(people)), mend))
    roster = rules.roster
    parties = f"{len(roster.sources)} sources, {len(roster.buyers)} buyers, {len(rules.orders)} orders"
    mend = "" if roster.sources else "leadmill apply business.toml"
    checks.append(Check("business", bool(roster.sources), parties, mend))
    try:
        await house.book.refresh(house.db)
        checks.append(Check("rules", True, f"revision {rules.revision}"))
    except Fault as fault:
        checks.append(Check("rules", False, fault.code, fault.detail))
    return checks
