"""Cases at the door of policy: what earlier stations have learned."""

from datetime import UTC, datetime
from typing import Any

from leadmill.capture import Lead, Vertical
from leadmill.consent import Proof
from leadmill.core.case import Case
from leadmill.facts import Dossier, Fact
from leadmill.identity import Identity
from leadmill.parties import Buyer, Roster, Team, read_buyer

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
TEXT = "I agree that Helio Solar LLC may call and text me. Agreeing is not a condition of purchase."
VERTICALS = {
    "solar": Vertical(name="solar", title="Solar", fields={}),
    "b2b": Vertical(name="b2b", title="B2B", fields={}, consent_required=False),
}


def hashed(purpose: str, text: str) -> bytes:
    """Stands for the vault's keyed hash."""
    return f"{purpose}:{text}".encode()


def buyer(ident: str = "helio", name: str = "Helio Solar LLC", **more: Any) -> Buyer:
    """A buyer in good standing."""
    return read_buyer(
        {
            "id": ident,
            "name": name,
            "contract": {"signed": "2026-01-05", "privacy_terms": True},
            "licences": [{"kind": "CSLB", "number": "1", "states": ["CA"]}],
            **more,
        }
    )


def roster(*buyers: Buyer, team: bool = False) -> Roster:
    """Everybody we deal with."""
    teams = {"west": Team(id="west", name="West", verticals=("solar",))} if team else {}
    return Roster({}, {one.id: one for one in buyers}, teams)


def case_of(
    vertical: str = "solar",
    state: str = "CA",
    phone: str = "pass",
    email: str = "pass",
    zone: str | None = None,
    **proof: Any,
) -> Case:
    """A lead that wants to be cleared; ``proof`` changes what was agreed."""
    agreed = {"kind": "written", "text": TEXT, "channels": ["call", "text", "email"], **proof}
    return Case(
        "lead_1",
        [
            Lead(id="lead_1", vertical=vertical, fields={"state": state}, source_id="acme", received_at=NOW),
            Proof(**agreed),
            Dossier(
                [
                    Fact("zip.state", state, "pass", "test"),
                    Fact("zip.zone", zone, "pass" if zone else "unknown", "test"),
                    Fact("phone.valid", phone == "pass", phone, "test"),  # type: ignore[arg-type]
                    Fact("email.syntax", email == "pass", email, "test"),  # type: ignore[arg-type]
                ]
            ),
            Identity(person_id="person_1", new_person=True, keys={"phone": b"p".hex(), "email": b"e".hex()}),
        ],
    )
