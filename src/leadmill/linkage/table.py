"""A file as linkage holds it: for each field the distinct values, once, and for each record which of them it has.

Every text is read, folded and measured once however many records repeat it; all else is arithmetic on whole numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from leadmill.linkage.likeness import Sheet, Texts, sheet_of
from leadmill.linkage.model import Field
from leadmill.linkage.plain import plain

Codes: TypeAlias = NDArray[np.int32]
Columns: TypeAlias = Mapping[str, Any]
"""Columns by name: lists of texts (None for absent) or Arrow arrays."""

ABSENT = -1
"""The code of a record that lacks the field."""


class Column(Struct, frozen=True):
    """One field of all records: ``codes`` point into ``values``, ABSENT where there is none; ``counts`` is how many
    records have each value."""

    field: Field
    codes: Codes
    sheet: Sheet
    counts: NDArray[np.int64]

    @property
    def values(self) -> Texts:
        """The distinct values."""
        return self.sheet.texts

    def take(self, records: NDArray[Any]) -> Texts:
        """The values of these records; all must have one."""
        return np.asarray(self.values[self.codes[records]], dtype=object)


class Table(Struct, frozen=True):
    """All fields of all records."""

    columns: tuple[Column, ...]
    records: int

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.field.name == name:
                return column
        raise KeyError(name)


def read_table(columns: Columns, fields: Sequence[Field]) -> Table:
    """The records of ``columns`` as the fields see them. Raises KeyError for a column that is not there."""
    found = [_column(columns, field) for field in fields]
    return Table(tuple(found), len(found[0].codes) if found else 0)


def _column(columns: Columns, field: Field) -> Column:
    arrays = [_texts(columns[name]) for name in field.columns or (field.name,)]
    joined = arrays[0]
    if len(arrays) > 1:
        joined = pc.binary_join_element_wise(*arrays, " ", null_handling="skip")
    coded = pc.dictionary_encode(joined)
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    written = coded.dictionary.to_pylist()
    raw = coded.indices.fill_null(ABSENT).to_numpy(zero_copy_only=False)
    return fold_column(field, [plain(field, text) for text in written], raw)


def fold_column(field: Field, values: Sequence[str], codes: NDArray[Any]) -> Column:
    """A column from values that may repeat or be empty: equal ones become one, empty ones absent."""
    places: dict[str, int] = {"": ABSENT}
    new = np.fromiter(
        (places.setdefault(value, len(places) - 1) for value in values), dtype=np.int32, count=len(values)
    )
    del places[""]
    final = np.append(new, np.int32(ABSENT))[codes]  # ABSENT points at the last
    counts = np.bincount(final[final >= 0], minlength=len(places))
    return Column(field, final.astype(np.int32), sheet_of(list(places)), counts)


def _texts(values: Any) -> Any:
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    return array if pa.types.is_string(array.type) or pa.types.is_large_string(array.type) else array.cast(pa.string())
