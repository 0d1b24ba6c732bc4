"""Files of MaxMind's format, by which an IP address is placed: cities, networks, anonymous addresses.

Opened by ``main`` from the settings, read where a step's question about an address is answered. A file that is
replaced is opened anew; while the new one cannot be read, the old one serves. Looking up takes microseconds and
opens no connection.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import maxminddb
import structlog

from leadmill.core.faults import Permanent

_log = structlog.get_logger("leadmill.ipfiles")
_LOOK_AGAIN = 60.0


class IpFiles:
    """The files, each with the moment it was written."""

    def __init__(self, paths: Sequence[Path], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._open: list[tuple[Path, int, maxminddb.Reader]] = [_opened(path) for path in paths]
        self._looked = monotonic()

    def __bool__(self) -> bool:
        return bool(self._open)

    def look_up(self, address: str) -> list[dict[str, Any]]:
        """What each file says of an address, in their order; nothing for one that is in none."""
        if self._open and self._monotonic() - self._looked >= _LOOK_AGAIN:
            self._refresh()
        found = []
        for _, _, reader in self._open:
            try:
                record = reader.get(address)
            except (ValueError, maxminddb.InvalidDatabaseError):
                continue  # an IPv6 address in a file of IPv4, a damaged record
            if isinstance(record, dict):
                found.append(dict(record))
        return found

    def close(self) -> None:
        """Close them."""
        for _, _, reader in self._open:
            reader.close()

    def _refresh(self) -> None:
        self._looked = self._monotonic()
        for at, (path, written, reader) in enumerate(self._open):
            try:
                if path.stat().st_mtime_ns != written:
                    self._open[at] = _opened(path)
                    reader.close()
            except (OSError, Permanent):
                _log.warning("ipfiles.kept", file=path.name)


def _opened(path: Path) -> tuple[Path, int, maxminddb.Reader]:
    try:
        return path, path.stat().st_mtime_ns, maxminddb.open_database(str(path))
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as fault:
        raise Permanent(
            "runtime.ip_file.unreadable", f"{path.name} is no file of MaxMind's format, or cannot be read"
        ) from fault
