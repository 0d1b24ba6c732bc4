"""Every built-in courier's ask leaves by the one way out and arrives; certificates are checked."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from leadmill.core.conversation import HttpAsk
from leadmill.core.faults import Permanent, Transient
from leadmill.delivery import Parcel, compose, read_delivery, read_reply
from leadmill.runtime.addresses import Reach
from leadmill.runtime.drop import Drop
from leadmill.runtime.http import Http
from leadmill.runtime.mail import Mail
from leadmill.runtime.outgoing import WayOut
from leadmill.runtime.plugins import find_plugins
from tests.runtime.test_http import a_peer
from tests.runtime.test_mail import a_mail_server, a_mailer

COURIERS = find_plugins(("leadmill.couriers",)).of("leadmill.couriers")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARCEL = Parcel(
    "dlv_1", "lead_1", "sale_1", "helio", "solar", NOON, fields={"first_name": "Ana", "email": "ana@example.com"}
)


async def test_a_lead_leaves_by_every_built_in_courier(tmp_path: Path) -> None:
    client = Http(Reach(loopback=True), {"HOOK": "s3cret"}, lambda: NOON)
    async with a_mail_server() as (box, port), a_peer() as peer, client as http:
        way = WayOut(http, a_mailer(port), Drop(tmp_path))
        for raw in (
            {"courier": "http", "url": f"{peer.url}/a", "format": "xml"},
            {"courier": "webhook", "url": f"{peer.url}/b", "secret": {"env": "HOOK"}},
            {"courier": "email", "to": ["leads@buyer.example", "second@buyer.example"]},
            {"courier": "file", "format": "csv"},
        ):
            spec = read_delivery(raw, couriers=COURIERS)
            reply = await way.perform(compose(COURIERS, spec, PARCEL), "buyer")
            assert read_reply(COURIERS, spec, PARCEL, reply).kind == "accepted"
    assert [path for path, _, _ in peer.seen] == ["/a", "/b"]
    assert peer.seen[0][2].startswith(b"<?xml")
    assert peer.seen[1][1]["webhook-signature"].startswith("v1,")
    assert box.taken[0][0] == ["leads@buyer.example", "second@buyer.example"]
    assert (tmp_path / "helio/2026-03-02/dlv_1.csv").read_text().splitlines()[0].startswith("first_name,email")


async def test_a_fault_passes_through_the_way_out_with_its_code(tmp_path: Path) -> None:
    async with Http(Reach(), {}, lambda: NOON) as http:
        way = WayOut(http, Mail(None, {}, lambda: NOON), Drop(tmp_path))
        with pytest.raises(Permanent) as caught:
            await way.perform(HttpAsk("GET", "http://127.0.0.1:9/"))
    assert caught.value.code == "http.address.refused"


def a_certificate(folder: Path, days: int = 1) -> Path:
    """A certificate for 127.0.0.1 that only its own holder vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    start = datetime.now(UTC) - timedelta(days=30)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30 + days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "peer.pem"
    kind = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


async def secure_peer(folder: Path, days: int = 1) -> tuple[web.AppRunner, str, Path]:
    path = a_certificate(folder, days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="fine")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    return runner, f"https://127.0.0.1:{runner.addresses[0][1]}/", path


@pytest.mark.parametrize(("trusted", "days"), [(True, 1), (False, 1), (True, -1)])
async def test_only_a_valid_certificate_of_a_trusted_issuer_is_believed(
    tmp_path: Path, trusted: bool, days: int
) -> None:
    runner, url, path = await secure_peer(tmp_path, days)
    trust: Any = ssl.create_default_context(cafile=str(path)) if trusted else None
    try:
        async with Http(Reach(loopback=True), {}, lambda: NOON, trust=trust) as http:
            if trusted and days > 0:
                assert (await http.perform(HttpAsk("GET", url))).body == b"fine"
                return
            with pytest.raises(Permanent) as caught:
                await http.perform(HttpAsk("GET", url))
            assert caught.value.code == "http.certificate.untrusted"
    finally:
        await runner.cleanup()


async def test_a_server_that_does_not_speak_tls_is_a_transient_fault() -> None:
    async with a_peer() as peer, Http(Reach(loopback=True), {}, lambda: NOON) as http:
        with pytest.raises(Transient) as caught:
            await http.perform(HttpAsk("GET", peer.url.replace("http:", "https:")))
    assert caught.value.code == "http.connection.failed"
