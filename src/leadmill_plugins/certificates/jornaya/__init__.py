"""Asks Jornaya (LeadiD, today of InfutorData) about its tokens: whether it issued one, and by a lead audit whether what
the lead says is what was typed.

Found by the entry point ``jornaya`` of ``leadmill.certificates``. The service is described at
https://marketing.verisk.com/docs/tcpa-guardian-3rd-party-api and https://help.infutor.com/apidocs/endpoint-for-a-lead-audit.
Two things about it want care. Every published example puts the account, the key and the person into the address; the
same may be posted, and is posted here, so that none of it stands in anybody's log. And whatever went wrong is told with
status 200 in the body.

A token may be asked about a hundred times in its year, whoever asks: answers are remembered, and nothing is asked twice
without need. There is nothing to be asked to keep: what an audit was made of stays with the vendor by contract.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote_plus

from msgspec import Struct

from leadmill.certificates import CertificateRead, Params, Standing, Topic
from leadmill.core.conversation import Blank, HttpAsk, HttpReply
from leadmill.core.reading import Table
from leadmill.enrich import at, is_answer, malformed, tree_of, word
from leadmill_plugins.certificates.trustedform import read_base, read_secret

_URL = "https://api.leadid.com"
_TOKEN = re.compile(r"[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}")
_NOT_DIGITS = re.compile(r"\D")
_REASONS: Mapping[str, Standing] = {"1": "gone", "2": "spent", "3": "withdrawn", "4": "missing"}
"""Why a token is not authentic: it is older than a year or was not found, was asked after more than a hundred times,
its person opted out, it was never issued."""
_MATCHES = {"0": False, "1": True, "2": False, "3": True}
"""Whether a field is what was typed: another, the same, another because the page altered it, the same as the page had
filled in."""
_LABELS = {"email": "email", "phone": "phone1"}
_YES = ("1", "true", "yes")


class Jornaya(Struct, frozen=True, kw_only=True):
    """Jornaya as declared: ``account`` and ``audit`` name the environment variables of the account's code and of the
    audit profile's key; without ``audit`` it is asked whether tokens are authentic and no more."""

    name: str
    account: str
    audit: str | None = None
    url: str = _URL

    issuer: ClassVar[str] = "jornaya"
    topics: ClassVar[Mapping[Topic, Sequence[str]]] = {"claim": (), "match": ("email?", "phone?", "source")}

    def ask(self, topic: Topic, params: Params) -> HttpAsk | CertificateRead | None:
        """A lead audit where there is something to compare, else whether the token is authentic."""
        token = params["token"].strip()
        if not _TOKEN.fullmatch(token):
            return CertificateRead(standing="malformed")
        data = _data(params) if topic == "match" and self.audit is not None else ""
        pairs = [("id", _dashed(token)), ("format", "json")]
        path, secrets = "Authenticate", {"lac": self.account}
        if data and self.audit is not None:
            path = "SingleQuery"
            secrets["lak"] = self.audit
            pairs += [("lpc", params.get("source", "")), ("data", data)]
        return _post(f"{self.url}/{path}", pairs, secrets)

    def read(self, topic: Topic, reply: HttpReply, params: Params) -> CertificateRead:
        """What the audit, or the shorter answer, says."""
        if not is_answer(reply):
            raise malformed("the answer is empty")
        tree = tree_of(reply)
        said = at(tree, "audit")
        if not isinstance(said, Mapping):
            said = at(tree, "authenticate")
        authentic = word(at(said, "authentic"))
        if authentic == "0":
            standing = _REASONS.get(word(at(said, "reason")))
            if standing is None:
                raise malformed("the vendor does not say why the token is not authentic")
            return CertificateRead(standing=standing)
        if authentic != "1":
            raise malformed("the answer does not say whether the token is authentic")
        stored = word(at(said, "market.leadid.tcpa.stored"))
        return CertificateRead(
            standing="good",
            phone=_matches(said, "phone") if "phone" in params else None,
            email=_matches(said, "email") if "email" in params else None,
            age_seconds=_age(at(said, "lead_age")),
            recorded=stored in _YES if stored else None,
        )


def _post(url: str, pairs: list[tuple[str, str]], secrets: Mapping[str, str]) -> HttpAsk:
    """A form in whose blanks the secrets go. The blanks are named after a digest of all that is told, so that nothing
    that is told can name one."""
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)
    digest = hashlib.sha256(f"{url}?{body}".encode()).hexdigest()
    blanks = tuple(Blank(f"{name}-{digest}", secret, "form") for name, secret in secrets.items())
    body += "".join(f"&{name}={blank.token}" for name, blank in zip(secrets, blanks, strict=True))
    return HttpAsk(
        method="POST",
        url=url,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        body=body.encode(),
        blanks=blanks,
    )


def _data(params: Params) -> str:
    """What is compared, in the vendor's own notation; a value that would break out of it is not told."""
    values = {"email": params.get("email", "").strip(), "phone": _national(params.get("phone", ""))}
    told = [f"{_LABELS[name]};{value}" for name, value in values.items() if value and not {"|", ";"} & set(value)]
    return "|".join(told)


def _national(phone: str) -> str:
    digits = _NOT_DIGITS.sub("", phone)
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


def _dashed(token: str) -> str:
    """The token in its 36 signs."""
    plain = token.replace("-", "").upper()
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def _matches(said: Any, name: str) -> bool | None:
    """Whether a field is what was typed; the fields of an audit are a table by label, or a list of such tables."""
    label, fields = _LABELS[name], at(said, "fields")
    if isinstance(fields, list):
        fields = next((one for one in fields if isinstance(one, Mapping) and label in one), None)
    return _MATCHES.get(word(at(fields, label)))


def _age(raw: Any) -> int | None:
    """Seconds since the lead event; the service writes them with a fraction."""
    try:
        found = float(raw) if isinstance(raw, int | float | str) and not isinstance(raw, bool) else -1.0
    except ValueError:
        return None
    return int(found) if 0 <= found < 10**10 else None


class JornayaMaker:
    """The plug-in: makes a :class:`Jornaya` of a declaration."""

    name = "jornaya"

    def make(self, name: str, options: Mapping[str, object]) -> Jornaya:
        """Raises BadInput ``config.provider.malformed`` with the place."""
        table = Table(options, f"provider {name}, options", "config.provider.malformed")
        made = Jornaya(
            name=name,
            account=read_secret(table, "account"),
            audit=read_secret(table, "audit") if table.has("audit") else None,
            url=read_base(table, _URL),
        )
        table.close()
        return made


vendor = JornayaMaker()
