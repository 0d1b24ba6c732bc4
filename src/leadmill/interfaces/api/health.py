"""``/healthz``, ``/readyz`` and ``/metrics``: for whoever watches the machine."""

from litestar import Response, get
from litestar.di import NamedDependency

from leadmill.interfaces.wiring import Wiring


@get("/healthz", include_in_schema=False, sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(wiring: NamedDependency[Wiring]) -> dict[str, str]:
    """Leads can be taken: the store answers. A 503 problem otherwise."""
    await wiring.ready()
    return {"status": "ready"}


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def metrics(wiring: NamedDependency[Wiring]) -> Response[bytes]:
    """The metrics in Prometheus' text format; nothing in them is about a person."""
    kind, body = wiring.exposition()
    return Response(body, headers={"content-type": kind})


ROUTES = [healthz, readyz, metrics]
