"""The verbs of access, one file a subject: coming in, second factors, passkeys, other houses, reports."""

from leadmill.access.service.coming import change_own_password, come_in, pass_on, sweep_access
from leadmill.access.service.elsewhere import Elsewhere, find_outsider
from leadmill.access.service.factors import (
    begin_totp,
    confirm_totp,
    make_codes,
    pending_totp,
    remove_passkey,
    remove_totp,
    reset_factors,
    show_code,
)
from leadmill.access.service.keys import make_passkey, offer_passkey, show_passkey, take_passkey
from leadmill.access.service.reporting import breach_report, read_standing, sign_review

__all__ = [
    "Elsewhere",
    "begin_totp",
    "breach_report",
    "change_own_password",
    "come_in",
    "confirm_totp",
    "find_outsider",
    "make_codes",
    "make_passkey",
    "offer_passkey",
    "pass_on",
    "pending_totp",
    "read_standing",
    "remove_passkey",
    "remove_totp",
    "reset_factors",
    "show_code",
    "show_passkey",
    "sign_review",
    "sweep_access",
    "take_passkey",
]
