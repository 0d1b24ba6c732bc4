"""Asks TrustedForm (ActiveProspect) about its certificates, by the Certificate API 4.0.

Found by the entry point ``trustedform`` of ``leadmill.certificates``. A certificate's address is at once its name and
where it is asked about: https://developers.activeprospect.com/docs/trustedform/api/v4.0/tag/Certificate-URL. What a
source sends is taken apart and only the name is used; where the request goes is ours to say. Phone numbers and e-mail
addresses leave as SHA-1 of their normal form, which is what TrustedForm keeps
(https://developers.activeprospect.com/docs/trustedform/api/v4.0/tag/Match-Lead).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from leadmill.certificates import CertificateRead, Params, Topic
from leadmill.core.conversation import HttpAsk, HttpReply
from leadmill.core.faults import Transient
from leadmill.core.reading import Table
from leadmill.core.spans import moment
from leadmill.enrich import at, is_answer, malformed, tree_of, word

_HOST = "cert.trustedform.com"
_URL = f"https://{_HOST}"
_ID = re.compile(r"[A-Za-z0-9._-]{8,255}")
"""Certificates of web pages have 40 hexadecimal digits, those of apps 40 or 80 signs, those of lead ads begin with
``0.``; none is longer than 255."""
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_NOT_DIGITS = re.compile(r"\D")
_INSIGHTS = ("created_at", "expires_at", "domain")
_GONE = (404, 410)
_SANDBOX = 405


class TrustedForm(Struct, frozen=True, kw_only=True):
    """TrustedForm as declared. ``key`` names the environment variable of the API key; ``insights`` says that the
    account has that product, without which a certificate's age is not told."""

    name: str
    key: str
    url: str = _URL
    insights: bool = True

    issuer: ClassVar[str] = "trustedform"
    topics: ClassVar[Mapping[Topic, Sequence[str]]] = {
        "claim": (),
        "match": ("email?", "phone?"),
        "retain": ("email?", "phone?", "lead", "source"),
    }

    def ask(self, topic: Topic, params: Params) -> HttpAsk | CertificateRead | None:
        """One request that matches, and keeps where asked to; nothing without anything to compare or to learn."""
        ident = certificate_id(params["token"])
        if ident is None:
            return CertificateRead(standing="malformed")
        body: dict[str, Any] = {}
        match = _fingerprints(params)
        if match and topic != "claim":
            body["match_lead"] = match
        if topic == "retain":
            if not match:
                return None  # the API keeps nothing that it is not given a lead to match with
            body["retain"] = {"reference": params.get("lead", ""), "vendor": params.get("source", "")}
        elif self.insights:
            body["insights"] = {"properties": list(_INSIGHTS)}
        if not body:
            return None
        return HttpAsk(
            method="POST",
            url=f"{self.url}/{ident}",
            headers={"Content-Type": "application/json", "Accept": "application/json", "Api-Version": "4.0"},
            body=msgspec.json.encode(body),
            secret=self.key,
            sign="basic",
            sign_name="API",
            idempotent=True,  # keeping what is kept says that it was kept before
        )

    def read(self, topic: Topic, reply: HttpReply, params: Params) -> CertificateRead:
        """What the certificate is. A match that failed is an answer; what could not be done is a fault."""
        if reply.status in _GONE:
            return CertificateRead(standing="gone")
        if reply.status == _SANDBOX:
            return CertificateRead(standing="sandbox")
        if not is_answer(reply):
            raise malformed("the answer is empty")
        tree = tree_of(reply)
        outcome = word(at(tree, "outcome"))
        if outcome == "error":
            raise Transient("enrich.provider.busy", "the vendor says that it could not do it now")
        if outcome not in ("success", "failure"):
            raise malformed("the answer has no outcome")
        matched = _result(tree, "match_lead")
        kept = _result(tree, "retain")
        retained = topic == "retain" and kept is not None
        if topic == "retain" and not retained:
            raise malformed("the answer does not say that the certificate is kept")
        insights = at(tree, "insights.properties")
        return CertificateRead(
            standing="good",
            phone=_flag(matched, "phone_match") if "phone" in params else None,
            email=_flag(matched, "email_match") if "email" in params else None,
            created_at=_moment(insights, "created_at"),
            expires_at=_moment(insights, "expires_at"),
            kept=True if retained else None,
            kept_until=_moment(kept, "expires_at") if retained else None,
            recorded=True,  # a certificate is the recording of the visit
            page=_text(insights, "domain"),
        )


def certificate_id(token: str) -> str | None:
    """The name of the certificate in an address as sources send it; None for anything but an address of TrustedForm's
    own host with a name behind it. A bare name is one too."""
    text = token.partition(",")[0].strip()  # a form with the script in it twice sends two
    if _ID.fullmatch(text) and "." not in text:
        return text
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    # A host in capitals or with a dot behind it is the same host; another port or a user is somebody's trick.
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme.lower() not in ("http", "https") or host != _HOST or "@" in parts.netloc or port not in (None, 443):
        return None
    ident = parts.path.strip("/")
    return ident if _ID.fullmatch(ident) and ".." not in ident else None


def _fingerprints(params: Params) -> dict[str, str]:
    """What is compared: TrustedForm hashes addresses in lower case and numbers without signs, as people type them: in
    the United States without the country's 1."""
    found: dict[str, str] = {}
    if "email" in params:
        found["email"] = _sha1(params["email"].strip().lower())
    if "phone" in params:
        digits = _NOT_DIGITS.sub("", params["phone"])
        found["phone"] = _sha1(digits[1:] if len(digits) == 11 and digits.startswith("1") else digits)
    return found


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _result(tree: Any, operation: str) -> Any:
    """The results of an operation; the reference calls them ``results`` here and ``result`` there."""
    found = at(tree, f"{operation}.results")
    return at(tree, f"{operation}.result") if found is None else found


def _flag(tree: Any, key: str) -> bool | None:
    return {"true": True, "false": False}.get(word(at(tree, key))) if tree is not None else None


def _text(tree: Any, key: str) -> str | None:
    found = at(tree, key) if tree is not None else None
    return found[:253] if isinstance(found, str) and found else None


def _moment(tree: Any, key: str) -> Any:
    found = _text(tree, key)
    return None if found is None else moment(found)


class TrustedFormMaker:
    """The plug-in: makes a :class:`TrustedForm` of a declaration."""

    name = "trustedform"

    def make(self, name: str, options: Mapping[str, object]) -> TrustedForm:
        """Raises BadInput ``config.provider.malformed`` with the place."""
        table = Table(options, f"provider {name}, options", "config.provider.malformed")
        made = TrustedForm(
            name=name,
            key=read_secret(table, "key"),
            url=read_base(table, _URL),
            insights=table.flag("insights", True),
        )
        table.close()
        return made


def read_secret(table: Table, key: str) -> str:
    """The name of the environment variable that a secret stands in."""
    given = table.value(key)
    if not isinstance(given, Mapping) or set(given) != {"env"} or not _ENV.fullmatch(str(given["env"])):
        table.refuse('must be a reference such as { env = "VENDOR_KEY" }, never the secret itself', key)
    return str(given["env"])


def read_base(table: Table, default: str) -> str:
    """The address of the vendor's service, without a slash behind it."""
    url = table.text("url", default)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.query:
        table.refuse(f"must be a whole address such as {default}, without a user or a query", "url")
    return url.rstrip("/")


vendor = TrustedFormMaker()
__all__: Sequence[str] = ("TrustedForm", "TrustedFormMaker", "certificate_id", "read_base", "read_secret", "vendor")
