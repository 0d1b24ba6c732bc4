"""``GET /v1/certificates/{lead_id}``: a lead's certificate of consent, to be read, or as the signed file.

For operators' keys and sessions. Each look is noted with the lead; the file is an export, written down as such, and
for those alone who may see personal values.
"""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct
from msgspec.structs import replace

from leadmill.consent import Certificate, Journaled, Recording
from leadmill.flow.certifying import make_certificate, replay_events
from leadmill.interfaces.api.access import Reader
from leadmill.interfaces.api.describing import path_parameter, responses
from leadmill.interfaces.api.leads import answer
from leadmill.interfaces.certificates import more_about, paper_of, recording_of
from leadmill.interfaces.dangers import danger
from leadmill.interfaces.wiring import Wiring
from leadmill.parties import Right
from leadmill.parties.store import note_reads
from leadmill.runtime.checkpoints import signing_key

MEDIA = "application/octet-stream"
"""A file to be kept: no browser is to open it as a page of ours."""


class CertificateOut(Struct, frozen=True, kw_only=True):
    """A certificate: its core, the SHA-256 of that, where the journal tells of it, what became of the recording, and
    under which rules the lead was decided. Whoever may not see personal values gets no ``salt``, without which the
    hashes in the core can be compared with nothing."""

    lead_id: str
    certificate: Certificate
    digest: str
    journal: Journaled
    recording: Recording
    revision: int
    packs: str
    masked: bool


@get("/v1/certificates/{lead_id:str}", include_in_schema=False)
async def get_certificate(
    wiring: NamedDependency[Wiring], reader: NamedDependency[Reader], lead_id: FromPath[str]
) -> Response[bytes]:
    """A certificate."""
    async with wiring.db.begin() as tx:
        made = await make_certificate(tx, wiring.kit.pen, lead_id)
        note_reads(tx, reader.id, [lead_id], "api consent certificate", wiring.clock())
    return answer(
        CertificateOut(
            lead_id=lead_id,
            certificate=made.core if reader.sees else replace(made.core, salt=""),
            digest=made.digest,
            journal=made.journaled,
            recording=recording_of(made),
            revision=made.revision,
            packs=made.packs,
            masked=not reader.sees,
        )
    )


@get(
    "/v1/certificates/{lead_id:str}/file",
    include_in_schema=False,
    opt=danger("exported", Right.SEE_PERSONAL, unmasked=True),
)
async def get_certificate_file(
    request: Request[Any, Any, Any],
    wiring: NamedDependency[Wiring],
    reader: NamedDependency[Reader],
    lead_id: FromPath[str],
) -> Response[bytes]:
    """The certificate as a file that proves itself."""
    now = wiring.clock()
    async with wiring.db.begin() as tx:
        made = await make_certificate(tx, wiring.kit.pen, lead_id)
        events = await replay_events(tx, wiring.kit.pen, made.row)
        key = await signing_key(tx, wiring.kit.pen.vault, now)
        note_reads(tx, reader.id, [lead_id], "api consent certificate export", now)
        reader.note(tx, lead_id, now)
    house = wiring.public_url or f"{request.url.scheme}://{request.url.netloc}"
    paper = paper_of(made, events, more_about(made, house, now, wiring.random), key)
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="consent-{made.row.id}.html"',
    }
    return Response(paper, media_type=MEDIA, headers=headers)


_LEAD = path_parameter("lead_id", "The lead's id.")
_READING: dict[str, Any] = {"tags": ["Leads"], "security": [{"key": []}, {"session": []}], "parameters": [_LEAD]}
_FILE = responses(200, "The file.", "CertificateOut", 400, 401, 403, 404, 503)
_FILE["200"]["content"] = {MEDIA: {"schema": {"type": "string", "format": "binary"}}}

PATHS: dict[str, Any] = {
    "/v1/certificates/{lead_id}": {
        "get": {
            **_READING,
            "operationId": "readCertificate",
            "summary": "Read a lead's certificate of consent",
            "description": "What the person was shown and did, as hashed into the journal; it names nobody. Each read"
            " is noted.",
            "responses": responses(200, "The certificate.", "CertificateOut", 400, 401, 403, 404, 503),
        }
    },
    "/v1/certificates/{lead_id}/file": {
        "get": {
            **_READING,
            "operationId": "exportCertificate",
            "summary": "Export a lead's certificate of consent",
            "description": "One signed page with the snapshot and the recording in it, which `leadmill certificate"
            " verify` and `docs/verify_certificate.py` check without us. For roles and keys that may see personal"
            " values; written down as an export.",
            "responses": _FILE,
        }
    },
}

ROUTES = [get_certificate, get_certificate_file]
