"""Whatever is in a table comes back: exactly from Parquet, and from CSV as well."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import equipoise as eqp
from equipoise.core.columns import COLUMNS, REQUIRED, to_labels, to_names

NUMBERS = [c.name for c in COLUMNS.values() if c.kind == "number"]
COUNTS = [c.name for c in COLUMNS.values() if c.kind == "count"]
numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True, width=64)
counts = st.none() | st.integers(0, 2**53)


@st.composite
def tables(draw):
    rows = draw(st.integers(0, 8))
    some = draw(st.sets(st.sampled_from([*NUMBERS, *COUNTS])))
    names = draw(st.permutations(sorted(some | set(REQUIRED))))
    table = pl.DataFrame(
        {
            n: pl.Series(
                draw(st.lists(numbers, min_size=rows, max_size=rows)),
                dtype=pl.Float64,
            )
            if n in NUMBERS
            else pl.Series(
                draw(st.lists(counts, min_size=rows, max_size=rows)), dtype=pl.Int64
            )
            for n in names
        }
    )
    # a row of nothing is an empty line in CSV: time is always there in a test
    return table.with_columns(pl.col("test_time_second").fill_null(0.0))


@pytest.mark.parametrize("form", ["csv", "parquet"])
@given(table=tables())
def test_a_table_survives_the_disk(form, table):
    with tempfile.TemporaryDirectory() as folder:
        path = eqp.write_bdf(table, Path(folder) / f"a.bdf.{form}", metadata={})
        assert_frame_equal(eqp.read_bdf(path), table, check_exact=True)


@given(names=st.lists(st.sampled_from(sorted(COLUMNS)), unique=True))
def test_names_survive_their_labels(names):
    assert to_names(to_labels(names)) == names
    assert to_labels(to_names(to_labels(names))) == to_labels(names)


@given(table=tables())
def test_writing_twice_gives_the_same_bytes(table):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.bdf.csv"
        first = eqp.write_bdf(table, path, metadata={"cell": "x"}).read_bytes()
        assert (
            eqp.write_bdf(eqp.read_bdf(path), path, metadata={}).read_bytes() == first
        )
