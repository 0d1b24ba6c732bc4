"""The fixture ``mill``: the real program, started once a process of the run, and looked over at the end."""

import os
from collections.abc import Iterator

import pytest

from leadmill.runtime.cluster import Cluster
from tests.abuse.running import Mill, running_mill, traces


@pytest.fixture(scope="session")
def mill(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    """The running program. Looked over after the last test: the books hold, the log tells of no person and no break."""
    name = f"abuse_{os.getpid()}"
    server.run_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    with running_mill(tmp_path_factory.mktemp("abuse") / "home", server.url(name)) as found:
        yield found
        assert found.caller(None).get("/readyz").status == 200
        found.verify()
    log = found.log()
    assert traces(log) == []
    assert "Traceback" not in log
    broken = [line for line in log.splitlines() if '"level":"error"' in line]
    assert not broken, "\n".join(broken)
