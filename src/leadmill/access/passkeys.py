"""Passkeys, purely: what a browser is asked to make or show, and whether what it brings back is right (WebAuthn 2).

A thin cover over ``webauthn``, so that the verbs beside it need not know it. Challenges are arguments; nothing is
stored here."""

from collections.abc import Iterable

import msgspec
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from leadmill.access.model import Party, Passkey
from leadmill.core.faults import BadInput
from leadmill.parties import Operator

CHALLENGE_BYTES = 32


class _Brought(msgspec.Struct):
    id: str


def ask_to_make(party: Party, operator: Operator, there: Iterable[Passkey], challenge: bytes) -> str:
    """What a browser needs to make a passkey, as JSON; devices that hold one of ``there`` refuse to make another."""
    return options_to_json(
        generate_registration_options(
            rp_id=party.rp_id,
            rp_name="Leadmill",
            user_name=operator.email,
            user_id=operator.id.encode(),
            user_display_name=operator.name or operator.email,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential) for each in there],
        )
    )


def read_made(party: Party, body: bytes, challenge: bytes, passkey: Passkey) -> Passkey:
    """``passkey`` filled with what the browser made. Raises :class:`BadInput` ``access.passkey.refused``."""
    try:
        made = verify_registration_response(
            credential=body.decode(),
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise BadInput("access.passkey.refused", "the passkey could not be taken; try once more") from None
    return msgspec.structs.replace(
        passkey,
        credential=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        backed_up=made.credential_backed_up,
    )


def ask_to_show(party: Party, allowed: Iterable[Passkey], challenge: bytes, alone: bool) -> str:
    """What a browser needs to show a passkey, as JSON. ``alone`` asks for one that stands for the password too: its
    holder must have unlocked it."""
    return options_to_json(
        generate_authentication_options(
            rp_id=party.rp_id,
            challenge=challenge,
            allow_credentials=[PublicKeyCredentialDescriptor(id=each.credential) for each in allowed],
            user_verification=UserVerificationRequirement.REQUIRED if alone else UserVerificationRequirement.PREFERRED,
        )
    )


def credential_of(body: bytes) -> bytes:
    """Which passkey a browser shows. Raises :class:`BadInput` ``access.passkey.refused``."""
    try:
        return base64url_to_bytes(msgspec.json.decode(body, type=_Brought).id)
    except (msgspec.DecodeError, ValueError):
        raise BadInput("access.passkey.refused", "the passkey could not be read") from None


def check_shown(party: Party, body: bytes, challenge: bytes, passkey: Passkey, alone: bool) -> int:
    """How often the passkey says it was used. Raises :class:`BadInput` ``access.passkey.refused`` where the signature,
    the challenge, the origin or the name is not right, or the count says that the passkey was copied."""
    try:
        shown = verify_authentication_response(
            credential=body.decode(),
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=alone,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise BadInput("access.passkey.refused", "this passkey was not accepted") from None
    return shown.new_sign_count
