"""Reads the ``delivery`` table of a buyer or team into a :class:`DeliverySpec`.

Called when configuration is applied, so that a mistake is refused before a lead meets it, and when rules are built.
Strict: an unknown key is refused with the nearest known one; secrets are names of environment variables, never values.
"""

from collections.abc import Mapping
from typing import Any

from leadmill.core.reading import Table, nearest
from leadmill.delivery.model import Courier, DeliverySpec
from leadmill.runtime.dialect import Profile, read_spec, read_test, read_url, resolve

NO_PROFILES: Mapping[str, Profile] = {}
_CODE = "config.delivery.malformed"
_WEBHOOK_RETRIES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""About three days, as Standard Webhooks 1.0 advises."""
_LEAD_RETRIES = (10, 60, 300, 1_800, 7_200)
"""About two and a half hours: a lead that old is worth less to the buyer than to the next one."""
_GROUPS = ("fields", "consent", "context", "lead", "sale")


def read_delivery(
    raw: object,
    where: str = "delivery",
    couriers: Mapping[str, Courier] | None = None,
    profiles: Mapping[str, Profile] = NO_PROFILES,
) -> DeliverySpec:
    """The spec as declared. ``couriers``, where given, are the installed ones: the named one must exist and be content.
    ``profiles`` are what a ``dialect`` may name: the table then says only what is its own.

    Raises :class:`BadInput` ``config.delivery.malformed`` saying where and what to write instead.
    """
    table = Table(_with_tests(raw, profiles, where), where, _CODE)
    table.has("dialect"), table.has("keys")  # known to whoever mistypes one; taken care of by now
    courier = table.text("courier")
    webhook = courier == "webhook"
    spec = read_spec(
        table,
        DeliverySpec,
        groups=_GROUPS,
        named="first_name, consent.text, context.ip, lead.id or sale.price",
        always_signed=webhook,
        courier=courier,
        to=_texts(table, "to"),
        sender=table.text("sender", ""),
        subject=table.text("subject", ""),
        path=table.text("path", ""),
        retries=_read_retries(table, _WEBHOOK_RETRIES if webhook else _LEAD_RETRIES),
        test=read_test(table),
        test_url=read_url(table, "test_url"),
    )
    table.close()
    if couriers is not None:
        _check(table, spec, couriers)
    return spec


def takes_tests(raw: Mapping[str, Any]) -> bool:
    """Whether a ``delivery`` table says that tests may be handed over."""
    return bool(raw.get("test") or raw.get("test_url"))


def courier_of(raw: Mapping[str, Any], profiles: Mapping[str, Profile] = NO_PROFILES) -> str | None:
    """The courier that a ``delivery`` table names, itself or by its dialect; None where there is none."""
    profile = profiles.get(str(raw.get("dialect", "")))
    named = raw.get("courier") or (profile.parts["post"].get("courier") if profile is not None else None)
    return str(named) if named else None


def _with_tests(raw: object, profiles: Mapping[str, Profile], where: str) -> object:
    """The whole table. ``test = true`` means the flag that the dialect has for tests; without a word of tests there are
    none, though the dialect has a flag: nobody is sent what they did not ask for."""
    asked = raw.get("test", False) if isinstance(raw, Mapping) else False
    if not isinstance(raw, Mapping) or not isinstance(asked, bool):
        return resolve(raw, profiles, "post", where, _CODE)
    told = resolve({key: value for key, value in raw.items() if key != "test"}, profiles, "post", where, _CODE)
    found = dict(told) if isinstance(told, Mapping) else {}
    if not asked and not found.get("test_url"):
        found.pop("test", None)
    elif asked and "test" not in found:
        says = 'there is no flag for tests here: write it, such as { lp_test = "1" }'
        Table({}, where, _CODE).refuse(says, "test")
    return found


def _check(table: Table, spec: DeliverySpec, couriers: Mapping[str, Courier]) -> None:
    courier = couriers.get(spec.courier)
    if courier is None:
        table.refuse(f"no courier '{spec.courier}' is installed; {nearest(spec.courier, couriers)}", "courier")
    lacks = courier.check(spec)
    if lacks:
        table.refuse_all(lacks)


def _texts(table: Table, key: str) -> tuple[str, ...]:
    value = table.value(key, [])
    return (value,) if isinstance(value, str) and value.strip() else table.texts(key, [])


def _read_retries(table: Table, default: tuple[int, ...]) -> tuple[int, ...]:
    waits = table.value("retries", list(default))
    if not isinstance(waits, list) or len(waits) > 30:
        table.refuse("must be a list of at most 30 waits in seconds", "retries")
    if not all(isinstance(wait, int) and not isinstance(wait, bool) and 1 <= wait <= 7 * 86_400 for wait in waits):
        table.refuse("must be waits in whole seconds, from 1 to a week", "retries")
    return tuple(waits)
