"""The certificates that vendors issued for a lead's consent, as its page shows them: what each vendor said, and what
asking cost. Pure."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from leadmill.certificates import ASKED, WORDS, Certificate, Certificates, certificates_of
from leadmill.consent import Proof
from leadmill.core.case import Case, Evidence
from leadmill.enrich import MICROS, Consulted
from leadmill.facts import Dossier
from leadmill.flow.memory import Recalled
from leadmill.interfaces.pages import words

_TITLES = {"trustedform": "TrustedForm"}


class Vouched(Struct, frozen=True):
    """A certificate on the page: whose, what its vendor says of it, and the rest as pairs."""

    title: str
    says: str
    tone: str
    facts: list[tuple[str, str]]
    cost: str = ""


def certificates_shown(
    recalled: Recalled, latest: Mapping[type[Evidence], Evidence], now: datetime
) -> list[Vouched]:  # fmt: skip
    """What vendors said of a lead's certificates. Once its person was forgotten, what was said when it walked."""
    held = [one for one in (latest.get(Proof), latest.get(Dossier)) if one is not None]
    found = certificates_of(Case(recalled.row.id, held))
    told = latest.get(Certificates)
    if not found and isinstance(told, Certificates):
        found = told.items
    costs = _costs(recalled)
    return [_shown(one, costs.get(one.by, 0), now) for one in found]


def _shown(one: Certificate, cost: int, now: datetime) -> Vouched:
    standing = one.stands(now)
    title = _TITLES.get(one.vendor) or words(one.vendor)
    if standing is None:
        return Vouched(title, "Not vouched for", "warn", [("Vendor", "was not asked, or gave no answer")])
    tone = "bad" if standing != "good" or one.matched is False else "ok" if one.matched else "warn"
    says = words(WORDS[standing])
    if standing == "good":
        says = {True: "Genuine, of this person", False: "Of somebody else", None: "Genuine"}[one.matched]
    facts = [
        ("Phone number", _compared(one.phone)),
        ("E-mail address", _compared(one.email)),
        ("Made", _moment(one.created_at) + _age(one, now)),
        ("Kept by the vendor", _moment(one.kept_at)),
        ("Kept until", _moment(one.kept_until)),
        ("Gone unless kept", _moment(one.expires_at) if one.kept_at is None else ""),
        ("Request as it was seen", {True: "recorded", False: "not recorded", None: ""}[one.recorded]),
        ("Site", one.page),
        ("Asked", f"{_moment(one.asked_at)}, through {one.by}" if one.asked_at is not None else ""),
    ]
    said = [(name, value) for name, value in facts if value]
    return Vouched(title, says, tone, said, f"{cost / MICROS:,.4f}" if cost else "")


def _compared(matches: bool | None) -> str:
    return {True: "the one that was typed", False: "another than was typed", None: ""}[matches]


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else ""


def _age(one: Certificate, now: datetime) -> str:
    age = one.age(now)
    if age is None:
        return ""
    minutes = max(int(age.total_seconds()) // 60, 0)
    for limit, size, unit in ((120, 1, "minutes"), (48 * 60, 60, "hours")):
        if minutes < limit:
            return f", {minutes // size} {unit} ago"
    return f", {minutes // 1440} days ago"


def _costs(recalled: Recalled) -> dict[str, int]:
    """What asking about certificates cost, in millionths, by provider."""
    found: dict[str, int] = {}
    for chapter in recalled.chapters:
        for station in chapter.stations:
            for item in station.learned:
                for asked in item.items if isinstance(item, Consulted) else ():
                    if asked.topic in ASKED:
                        found[asked.provider] = found.get(asked.provider, 0) + asked.cost
    return found
