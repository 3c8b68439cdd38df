"""Whatever is put into a store comes out of it, value by value."""

import hashlib

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.io.store import Store

FLOATS = st.floats(allow_nan=True, allow_infinity=True) | st.none()
COLUMNS = {
    "charging_capacity_ah": (pl.Float64, FLOATS),
    "step_count": (pl.Int64, st.integers(-(2**63), 2**63 - 1) | st.none()),
    "step_index": (pl.Int32, st.integers(-(2**31), 2**31 - 1) | st.none()),
    "step_type": (
        pl.String,
        st.text(st.characters(exclude_categories=["Cs"])) | st.none(),
    ),
    "Notes, \"x\" / 'ü'": (pl.String, st.sampled_from(["", "a", "NaN", None])),
    "flag": (pl.Boolean, st.booleans() | st.none()),
    "empty_ohm": (pl.Float64, st.none()),
    "moment": (pl.Datetime("us"), st.datetimes() | st.none()),
    "force_newton": (
        pl.Float32,
        st.floats(width=32, allow_nan=True) | st.none(),
    ),
}


@st.composite
def tables(draw):
    rows = draw(st.integers(0, 12))
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), unique=True))
    required = ("test_time_second", "voltage_volt", "current_ampere")
    columns = [
        pl.Series(
            name,
            draw(st.lists(st.floats(), min_size=rows, max_size=rows)),
            dtype=pl.Float64,
        )
        for name in required
    ]
    counts = st.lists(st.integers(0, 4) | st.none(), min_size=rows, max_size=rows)
    columns.append(pl.Series("cycle_count", draw(counts), dtype=pl.Int64))
    for name in names:
        dtype, values = COLUMNS[name]
        drawn = draw(st.lists(values, min_size=rows, max_size=rows))
        columns.append(pl.Series(name, drawn, dtype=dtype))
    return pl.DataFrame(columns)


def same(found, expected):
    """Equal, with null apart from NaN, and 0.0 apart from -0.0."""
    assert found.schema == expected.schema
    assert found.equals(expected)
    inverse = pl.col(pl.Float64).pow(-1.0)
    assert found.select(inverse).equals(expected.select(inverse))


@settings(max_examples=40)
@given(table=tables(), text=st.text(min_size=1))
def test_a_table_comes_back_as_it_was(tmp_path_factory, table, text):
    store = Store(tmp_path_factory.mktemp("property") / "store", create=True)
    sha256 = hashlib.sha256(b"source").hexdigest()
    added = store.add(
        source_sha256=sha256,
        name=text,
        tables={"timeseries": table, "cycles": table},
        metadata={"text": text},
        source=text,
    )
    cell = added.entry.id
    assert store.entry(cell) == added.entry
    assert store.entry(cell).metadata == {"text": text}
    same(store.table(cell, "timeseries"), table)
    same(store.table(cell, "cycles"), table)
    for cycle in table["cycle_count"].drop_nulls().unique():
        rows = table.filter(pl.col("cycle_count") == cycle)
        same(store.table(cell, "timeseries", cycles=cycle), rows)
    assert store.verify() == ()
    answer = store.sql("SELECT * EXCLUDE (cell_id) FROM timeseries")
    same(answer.select(pl.col(pl.Float64)), table.select(pl.col(pl.Float64)))
    same(answer.select(pl.col(pl.String)), table.select(pl.col(pl.String)))
