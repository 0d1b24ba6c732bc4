"""Money as whole minor units of a currency, never a float.

Used by orders, caps, the ledger and every page that shows a price. Rounding happens in one place, half to even, and
only where a rate is applied.
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from msgspec import Struct

from leadmill.core.faults import BadInput

_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3}
"""ISO 4217 minor-unit digits where they are not two."""


def minor_digits(currency: str) -> int:
    """How many decimal places the currency's minor unit has (ISO 4217)."""
    return _MINOR_DIGITS.get(currency, 2)


class Money(Struct, frozen=True, order=True):
    """``amount`` minor units (cents for USD) of ``currency`` (ISO 4217 letters)."""

    amount: int
    currency: str = "USD"

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def times(self, rate: Decimal) -> "Money":
        """The amount times a rate, rounded half to even to the minor unit."""
        return Money(int((self.amount * rate).quantize(Decimal(1), ROUND_HALF_EVEN)), self.currency)

    def decimal(self) -> str:
        """The amount as a decimal string, e.g. ``65.00``; what the API and files carry."""
        digits = minor_digits(self.currency)
        return str(Decimal(self.amount).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)))

    def __str__(self) -> str:
        sign = "-" if self.amount < 0 else ""
        body = Money(abs(self.amount), self.currency).decimal()
        return f"{sign}${body}" if self.currency == "USD" else f"{sign}{body} {self.currency}"

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} with {other.currency}")


def parse_money(text: str, currency: str = "USD") -> Money:
    """Read a decimal string such as ``"65.00"``.

    Raises :class:`BadInput` ``money.amount.malformed`` where it is no finite decimal number or has more places than
    the currency's minor unit.
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    scaled = value.scaleb(minor_digits(currency)) if value.is_finite() and abs(value) < 10**15 else None
    if scaled is None or scaled != scaled.to_integral_value():
        raise BadInput("money.amount.malformed", f"write an amount such as 65.00 in {currency}")
    return Money(int(scaled), currency)
