"""A request in a dialect, read: who calls, what is wanted, and the body under names that the mapping knows.

Called by ``interfaces.api.dialects`` at the door and by :mod:`leadmill.capture.rules` whenever the sealed submission
is read again. Pure: the same bytes always give the same lead.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from leadmill.capture.answering import Said
from leadmill.capture.dialects import Dialect, Format, Mode, Switch
from leadmill.capture.directives import take_exclusions
from leadmill.capture.envelopes import read_envelope
from leadmill.capture.mapping import Lexicon
from leadmill.capture.model import Submission
from leadmill.capture.readers import fold
from leadmill.core.faults import BadInput, Conflict, Fault, FieldFault, Forbidden, TooLarge, Transient, Unauthenticated
from leadmill.core.money import Money
from leadmill.core.reasons import Because, State
from leadmill.parties import Throttled

_FORM = "application/x-www-form-urlencoded"
_LONGEST_KEY = 200
_CALL = "context.live_call"
_SAID_BEFORE = ("flow.request.reused", "market.quote.used")
"""Conflicts that mean: this was said before, and otherwise."""


class Asked(Struct, frozen=True, kw_only=True):
    """A request in a dialect. ``body`` is what :func:`leadmill.capture.map_lead` reads; ``keys`` are the API keys it
    may be showing, ``credential`` what it says of itself in all its parameters, ``""`` where one is missing; ``call``
    says that the person is on the telephone;
    ``vertical`` is the code it gives, ``repeat`` the idempotency key that its own id of the lead amounts to."""

    mode: Mode
    form: Format
    body: dict[str, Any]
    keys: tuple[str, ...] = ()
    credential: str = ""
    vertical: str = ""
    ping_id: str = ""
    repeat: str | None = None
    call: bool = False


def ask_of(
    dialect: Dialect, door: int, content_type: str, body: bytes, query: str, headers: Mapping[str, str]
) -> Asked:
    """Read a request that came in by a door of the dialect. ``headers`` are by lower-case name; ``path.1`` and so on
    hold what stood for the stars of the door's path.

    Raises :class:`BadInput` as :func:`leadmill.capture.bodies.read_body`.
    """
    raw = read_parts(content_type, body, query)
    flat = _flat(raw)
    ping_id = _first(dialect.ping_id, flat, headers)
    wanted = _choose(dialect.doors[door].mode, flat, headers)
    mode: Mode = "ping" if wanted == "ping" else "post" if ping_id else "direct"
    own = _first(dialect.own_id, flat, headers)
    call = dialect.doors[door].call
    return Asked(
        mode=mode,
        form=form_of(dialect, flat, headers),
        body=_translated(dialect, raw, flat) | ({_CALL: True} if call else {}),
        keys=tuple(key for name in dialect.keys if (key := _named(name, flat, headers))),
        credential=credential_of(dialect, flat, headers),
        vertical=_first(dialect.vertical, flat, headers),
        ping_id=ping_id,
        repeat=f"{dialect.name} {mode} {own}"[:255] if own and own.isascii() and own.isprintable() else None,
        call=call,
    )


def form_of(dialect: Dialect, flat: Mapping[str, Any], headers: Mapping[str, str]) -> Format:
    """The format to answer in."""
    found: Any = _choose(dialect.format, flat, headers)
    return found if found in ("json", "xml", "text") else "json"


def fallback_form(dialect: Dialect, query: str, headers: Mapping[str, str]) -> Format:
    """The format to answer in where the body cannot be read: what the address and the headers say."""
    try:
        flat = _flat(read_parts(_FORM, b"", query)) if query else {}
    except BadInput:
        flat = {}
    return form_of(dialect, flat, headers)


def read_translated(submission: Submission, dialect: Dialect) -> dict[str, Any]:
    """A sealed submission's body under our names. Raises as :func:`ask_of`."""
    raw = read_parts(submission.content_type, submission.body, submission.query)
    return _translated(dialect, raw, _flat(raw))


def read_parts(content_type: str, body: bytes, query: str) -> dict[str, Any]:
    """The parameters of the address with those of the body over them."""
    found = read_envelope(_FORM, query.encode()) if query else {}
    if body.strip():
        found = found | read_envelope(content_type, body)
    elif not found:
        raise BadInput("capture.body.malformed", "the request holds no fields")
    return found


def credential_text(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    """What a caller says of itself as one text, to be hashed: its length goes before each value, so that no two
    ways of cutting it are alike. Empty where a value is missing."""
    if not names or not all(values.get(name) for name in names):
        return ""
    return "".join(f"{len(values[name])}:{values[name]}" for name in names)


def credential_of(dialect: Dialect, flat: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """The credential that a request shows."""
    return credential_text({name: _named(name, flat, headers) for name in dialect.credentials}, dialect.credentials)


def vertical_of(said: str, meant: Mapping[str, str], lexicon: Lexicon, allowed: tuple[str, ...]) -> str | None:
    """The vertical that a code of theirs stands for: by what the source declares, by its name, or because the source
    sends one only; None where only the body may say. Raises :class:`BadInput` ``capture.vertical.unknown``."""
    if said in meant:
        return lexicon.vertical(meant[said])
    if said:
        try:
            return lexicon.vertical(said)
        except BadInput:
            if len(allowed) != 1:
                says = "what stands here for the vertical is not known; ask for the right code"
                raise BadInput(
                    "capture.vertical.unknown", says, [FieldFault("/vertical", "capture.vertical.unknown", says)]
                ) from None
    return allowed[0] if len(allowed) == 1 else None


def said_of(state: State, because: list[Because], price: int | None, currency: str | None, **more: Any) -> Said:
    """What there is to say of a lead that has been walked."""
    outcome = _OUTCOMES.get(state, "unsold")
    first = because[0] if because else None
    earned = Money(price, currency).decimal() if price is not None and currency else None
    return Said(
        outcome=outcome,
        code=first.code if first else None,
        reason=first.message if first else None,
        price=earned if outcome in ("sold", "test") else None,
        currency=currency if earned else None,
        **more,
    )


def said_fault(fault: Fault, **more: Any) -> Said:
    """What there is to say of a request that was not taken."""
    if isinstance(fault, Throttled):
        outcome = "busy"
    elif isinstance(fault, Unauthenticated | Forbidden):
        outcome = "denied"
    elif isinstance(fault, Conflict):
        outcome = "duplicate" if fault.code in _SAID_BEFORE else "rejected"
    elif isinstance(fault, BadInput):
        outcome = "invalid"
    else:
        outcome = "busy" if isinstance(fault, Transient) else "broken"
    return Said(
        outcome=outcome,
        code=fault.code,
        reason=_reason(fault) if outcome != "broken" else "something failed on our side",
        status=413 if isinstance(fault, TooLarge) else 429 if isinstance(fault, Throttled) else None,
        **more,
    )


_OUTCOMES = {
    State.SOLD: "sold",
    State.ASSIGNED: "sold",
    State.TEST: "test",
    State.REVIEW: "review",
    State.DUPLICATE: "duplicate",
    State.REJECTED: "rejected",
}


def _reason(fault: Fault) -> str:
    if isinstance(fault, BadInput) and fault.errors:
        return "; ".join(f"{error.pointer.rpartition('/')[2]}: {error.detail}" for error in fault.errors[:20])
    return fault.detail or fault.code


def _flat(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The scalars by folded name, those nearest to the top first."""
    found: dict[str, Any] = {}
    todo: list[Mapping[str, Any]] = [raw]
    for node in todo:
        for name, value in node.items():
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            if isinstance(value, Mapping):
                todo.append(value)
            elif isinstance(value, list):
                found.setdefault(fold(name), next((item for item in reversed(value) if item not in ("", None)), ""))
            elif value not in ("", None):
                found.setdefault(fold(name), value)
    return found


def _named(name: str, flat: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    if name.startswith(("header.", "path.")):
        return headers.get(name.removeprefix("header."), "").strip()
    value = flat.get(fold(name))
    text = value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""
    return text.strip() if len(text) <= _LONGEST_KEY else ""


def _first(names: tuple[str, ...], flat: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    return next((found for name in names if (found := _named(name, flat, headers))), "")


def _choose(switch: Switch, flat: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    for name in switch.by:
        said = _named(name, flat, headers)
        if not said:
            continue
        if name.startswith("header."):
            meant = next((switch.values[value] for value in switch.values if value in said.lower()), None)
        else:
            meant = switch.values.get(fold(said))
        if meant is not None:
            return meant
    return switch.default


def _translated(dialect: Dialect, raw: Mapping[str, Any], flat: Mapping[str, Any]) -> dict[str, Any]:
    """The body under our names: what a dialect names goes to its target, what steers or proves is left out, and all
    else stays as it is for the usual names of the trade to be read."""
    found: dict[str, Any] = {}
    if dialect.exclusions:
        raw, found = take_exclusions(dialect.exclusions, raw, dialect.groups)
    _rewrite(dialect, raw, found, found, dialect.left_out, "")
    for trial in dialect.trials:
        if str(flat.get(fold(trial.name), "")).lower() in trial.values:
            found["test"] = True
    if dialect.calls:
        found[_CALL] = True
    return found


def _rewrite(
    dialect: Dialect, node: Mapping[str, Any], out: dict[str, Any], top: dict[str, Any], gone: frozenset[str], path: str
) -> None:
    for name, value in node.items():
        plain = name
        for pattern in dialect.strip:
            plain = pattern.sub("", plain, count=1) or plain
        key = fold(plain)
        whole = path + key
        target = dialect.fields.get(whole)
        if target is None:
            target = dialect.fields.get(key)
        if target is None and key in gone:
            continue
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
            value = value[0]
        if isinstance(value, Mapping) and target is None:
            if key in dialect.groups:
                _rewrite(dialect, value, top, top, gone, path)
            else:
                inner: dict[str, Any] = {}
                _rewrite(dialect, value, inner, top, gone, whole)
                if inner:
                    out[plain] = inner
            continue
        if target == "" or value in ("", None):
            continue
        if target is None:
            out.setdefault(plain, value)
        elif _place(target) in top:
            # The first of two names for one field stands; the other is read by its usual meaning or kept.
            out.setdefault(plain, value)
        else:
            top[_place(target)] = value


def _place(target: str) -> str:
    return target if "." in target or target == "test" else f"fields.{target}"
