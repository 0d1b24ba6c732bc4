"""The embedded server: shared, orphaned, killed, half made; and who may use a home."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest

import leadmill
from leadmill.core.faults import Permanent
from leadmill.runtime.cluster import FORGETFUL, Cluster, tuning
from leadmill.runtime.postgres import embedded, only_server, store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose data folder is made, not running, to copy from: making one takes a second."""
    with tempfile.TemporaryDirectory(prefix="leadmill-made-") as name:
        with embedded(Path(name), settings=FORGETFUL):
            pass
        yield Path(name)


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="leadmill-home-") as name:
        subprocess.run(["cp", "-a", f"{made}/.", name], check=True)
        yield Path(name)
        Cluster(Path(name) / "postgres").stop(patience=5)


def ask(url: str, sql: str) -> object:
    async def run() -> object:
        conn = await asyncpg.connect(url)
        try:
            return await conn.fetchval(sql)
        finally:
            await conn.close()

    return asyncio.run(run())


def postmaster(home: Path) -> int | None:
    try:
        return int((home / "postgres/data/postmaster.pid").read_text().split()[0])
    except FileNotFoundError:
        return None


def kill_everything(home: Path) -> None:
    """Kill -9 the postmaster and all its children."""
    parent = postmaster(home)
    assert parent is not None
    children = [child.pid for child in psutil.Process(parent).children(recursive=True)]
    for pid in [parent, *children]:
        os.kill(pid, signal.SIGKILL)


def test_the_first_program_starts_the_server_and_the_last_one_stops_it(home: Path) -> None:
    with embedded(home) as first:
        pid = postmaster(home)
        with embedded(home) as second:
            assert first == second
            assert postmaster(home) == pid
        assert ask(first, "SELECT current_database()") == "leadmill"
    assert postmaster(home) is None


def test_the_server_waits_for_the_disk_and_keeps_values_out_of_its_log(home: Path) -> None:
    with embedded(home) as url:
        for name, value in {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}.items():
            assert ask(url, f"SHOW {name}") == value
        ask(url, "CREATE TABLE t (a text UNIQUE)")
        for _ in range(2):
            try:
                ask(url, "INSERT INTO t VALUES ('ann@example.com')")
            except asyncpg.UniqueViolationError:
                continue
    log = (home / "postgres/server.log").read_text()
    assert "duplicate key" in log
    assert "ann@example.com" not in log


def test_only_the_owner_can_reach_the_server(home: Path) -> None:
    with embedded(home) as url:
        assert (home / "postgres/data").stat().st_mode & 0o077 == 0
        assert ask(url, "SHOW listen_addresses") == ""


def test_committed_rows_survive_a_kill_of_every_process_of_the_server(home: Path) -> None:
    with embedded(home) as url:
        ask(url, "CREATE TABLE t (a int)")
        ask(url, "INSERT INTO t SELECT generate_series(1, 1000)")
        kill_everything(home)
    assert postmaster(home) is not None  # the file of a dead server
    with embedded(home) as url:
        assert ask(url, "SELECT count(*) FROM t") == 1000


def test_a_killed_postmaster_with_living_children_is_replaced(home: Path) -> None:
    with embedded(home) as url:
        ask(url, "CREATE TABLE t AS SELECT 1 AS a")
        pid = postmaster(home)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with embedded(home) as again:
            assert postmaster(home) != pid
            assert ask(again, "SELECT a FROM t") == 1


def test_a_pid_that_now_belongs_to_somebody_else_is_not_taken_for_the_server(home: Path) -> None:
    with embedded(home):
        kill_everything(home)
    owner = (home / "postgres/data").stat().st_uid
    identity = {"user": owner} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], cwd="/", **identity) as stranger:  # type: ignore[call-overload]
        file = home / "postgres/data/postmaster.pid"
        lines = file.read_text().splitlines()
        file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        with embedded(home) as url:
            assert ask(url, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


ORPHAN = """
    import os, signal, sys
    from pathlib import Path
    from leadmill.runtime.postgres import embedded
    with embedded(Path(sys.argv[1])):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_orphaned_server_is_taken_over_and_stopped(home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", textwrap.dedent(ORPHAN), str(home)], env=environment)
    pid = postmaster(home)
    assert pid is not None
    with embedded(home) as url:
        assert postmaster(home) == pid
        assert ask(url, "SELECT 1") == 1
    assert postmaster(home) is None


TOGETHER = """
    import asyncio, sys
    import asyncpg
    from pathlib import Path
    from leadmill.runtime.postgres import embedded

    async def ask(url):
        conn = await asyncpg.connect(url)
        print(await conn.fetchval("SELECT 1"))
        await conn.close()

    for _ in range(3):
        with embedded(Path(sys.argv[1])) as url:
            asyncio.run(ask(url))
"""


def test_programs_that_come_and_go_together_do_not_pull_the_server_away(home: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(TOGETHER), str(home)]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [child.communicate()[0].split() for child in running] == [["1"] * 3] * 3
    assert postmaster(home) is None


def test_a_home_that_was_made_halfway_is_made_anew() -> None:
    with tempfile.TemporaryDirectory() as name:
        half = Path(name) / "postgres/data.making"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")
        said: list[str] = []
        with embedded(Path(name), said.append, FORGETFUL) as url:
            assert ask(url, "SELECT 1") == 1
        assert said == ["making the embedded database, once"]
        assert not half.exists()


def test_a_home_deeper_than_a_socket_path_may_be_works(made: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        deep = Path(name) / ("d" * 60) / ("e" * 60) / "home with blanks"
        deep.parent.mkdir(parents=True)
        subprocess.run(["cp", "-a", str(made), str(deep)], check=True)
        with embedded(deep) as url:
            assert ask(url, "SELECT 1") == 1
            socket_folder = Path(url.partition("host=")[2])
            assert socket_folder.stat().st_mode & 0o077 == 0
        shutil.rmtree(socket_folder)


def test_own_settings_are_honoured_and_broken_ones_named_at_once(home: Path) -> None:
    local = home / "postgres/data/local.conf"
    local.write_text("work_mem = 5MB\n")
    local.chmod(0o644)
    with embedded(home) as url:
        assert ask(url, "SHOW work_mem") == "5MB"
    local.write_text("work_mem = plenty\n")
    with pytest.raises(Permanent, match=r"postgres\.start\.failed"), embedded(home):
        pass


def test_a_home_of_another_user_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(Permanent, match=r"postgres\.home\.foreign"), embedded(home):
        pass


def test_a_second_serve_on_one_home_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with only_server(tmp_path):
        with pytest.raises(Permanent, match=rf"runtime\.home\.busy.*process {os.getpid()}\b"), only_server(tmp_path):
            pass
        with only_server(tmp_path / "other"):
            pass
    with only_server(tmp_path):
        pass


def test_a_given_address_is_used_untouched(tmp_path: Path) -> None:
    with store(tmp_path, "postgresql://db.example/leads") as url:
        assert url == "postgresql://db.example/leads"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("gib", "buffers"), [(0.0625, "32MB"), (1, "256MB"), (2, "512MB"), (64, "512MB")])
def test_the_servers_share_of_memory_is_bounded(gib: float, buffers: str) -> None:
    assert tuning(int(gib * 2**30), lz4=False)["shared_buffers"] == buffers


def test_an_ordinary_user_has_an_own_server() -> None:
    """Under root this runs as `nobody`, with an interpreter which that user can run."""
    paths = [path for path in sys.path if "site-packages" in path or path.endswith("src")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join([str(Path(leadmill.__path__[0]).parent), *paths])}
    entry = pwd.getpwnam("nobody")
    chosen: dict[str, Any] = {}
    if os.geteuid() == 0:
        chosen = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for interpreter in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            subprocess.run([interpreter, "-c", "import asyncpg"], env=environment, cwd="/", check=True, **chosen)
            break
        except (OSError, subprocess.CalledProcessError):
            continue
    else:
        pytest.skip("every interpreter here, or the program, is root's alone")
    with tempfile.TemporaryDirectory() as name:
        if chosen:
            os.chown(name, entry.pw_uid, entry.pw_gid)
        command = [interpreter, "-c", textwrap.dedent(TOGETHER), f"{name}/home"]
        ran = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, **chosen)
        assert ran.stdout.split() == ["1"] * 3, ran.stderr
        assert postmaster(Path(name) / "home") is None
        assert (Path(name) / "home/postgres/data").stat().st_uid == (entry.pw_uid if chosen else os.geteuid())


def test_waiting_for_anothers_start_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("leadmill.runtime.postgres._TELL_AFTER", 0.0)
    script = (
        "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, 2); print(flush=True); sys.stdin.read()"
    )
    lock = str(home / "postgres/start.lock")
    with subprocess.Popen([sys.executable, "-c", script, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        other.stdout.readline()

        def let_go(text: str) -> None:
            said.append(text)
            other.stdin.close()  # type: ignore[union-attr]

        with embedded(home, let_go):
            assert said == ["waiting for another program that is starting or stopping this home's database"]
