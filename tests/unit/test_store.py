import errno
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError, StoreError
from equipoise.io.bdf import read_bdf, read_metadata
from equipoise.io.store import Import, Store, source_hash
from equipoise.io.store.layout import CATALOGUE, LOCK, MARKER, READERS, locked
from equipoise.spec.cell_record import CellRecord

ROWS = 60


def sha(text):
    return hashlib.sha256(str(text).encode()).hexdigest()


def series(rows=ROWS, per_cycle=20):
    n = np.arange(rows)
    return pl.DataFrame(
        {
            "test_time_second": n * 1.0,
            "voltage_volt": 3.0 + np.sin(n),
            "current_ampere": np.where(n % 2, 1e-3, -1e-3),
            "cycle_count": n // per_cycle + 1,
            "step_type": ["CC", None, 'ü, "x"'] * (rows // 3),
        }
    )


def cycles(last=3, start=2.0):
    n = np.arange(1, last + 1)
    return pl.DataFrame(
        {
            "cycle_count": n,
            "discharging_capacity_ah": start - 0.1 * n,
            "coulombic_efficiency": np.where(n == 1, np.nan, 0.99),
        }
    )


def imported(key, **changes):
    given = {
        "source_sha256": sha(key),
        "name": str(key),
        "tables": {"timeseries": series(), "cycles": cycles()},
        "record": CellRecord(group="LB", replicate="1", positive_active_mass_mg=10.0),
        "metadata": {"instrument": "µ-cycler", "channel": 3},
        "source": f"/data/{key}.txt",
        "source_format": "maccor",
    }
    return Import(**(given | changes))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store", create=True)


def content(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# --- opening ---------------------------------------------------------------------


def test_a_store_opens_again_and_creating_it_twice_keeps_it(store):
    store.add_many([imported("a")])
    assert len(Store(store.folder)) == 1
    assert len(Store(store.folder, create=True)) == 1
    assert repr(store.folder)[-7:-2] in repr(store)


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_is_no_store_is_refused(tmp_path, exists):
    folder = tmp_path / "other"
    if exists:
        folder.mkdir()
    with pytest.raises(StoreError, match="no store" if exists else "no such folder"):
        Store(folder)
    assert folder.exists() == exists


def test_a_folder_with_other_files_is_never_made_a_store(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(StoreError, match=r"thesis\.tex"):
        Store(tmp_path, create=True)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").write_text("x")
    for create in (True, False):
        with pytest.raises(StoreError):
            Store(tmp_path / "file", create=create)


def test_a_newer_layout_is_refused(store):
    text = {"store": "equipoise", "layout": 2, "equipoise": "9.9"}
    (store.folder / MARKER).write_text(json.dumps(text))
    with pytest.raises(StoreError, match=r"layout 2, written by equipoise 9\.9"):
        Store(store.folder)


@pytest.mark.parametrize("text", ["", "[]", '{"layout": "x"}', '{"layout": 0}'])
def test_a_broken_marker_is_refused(store, text):
    (store.folder / MARKER).write_text(text)
    with pytest.raises(StoreError, match="marker"):
        Store(store.folder)


def test_a_lost_catalogue_never_costs_the_tables(store):
    store.add_many([imported("a")])
    (store.folder / CATALOGUE).unlink()
    for call in (store.cells, store.verify, lambda: store.add_many([imported("b")])):
        with pytest.raises(StoreError, match="catalogue"):
            call()
    assert len(list(store.folder.glob("*/*.parquet"))) == 2


def test_a_damaged_catalogue_is_told_and_kept(store):
    store.add_many([imported("a")])
    path = store.folder / CATALOGUE
    path.write_bytes(path.read_bytes()[:200])
    for call in (store.cells, lambda: store.add_many([imported("b")])):
        with pytest.raises(StoreError, match="damaged"):
            call()
    assert len(list(store.folder.glob("*/*.parquet"))) == 2


# --- adding ----------------------------------------------------------------------


def test_what_is_added_comes_back_exactly(store):
    given = imported("a")
    added = store.add_many([given])[0]
    assert not added.already
    entry = store.entry(added.entry.id)
    assert entry == added.entry
    assert (entry.record, entry.metadata) == (given.record, given.metadata)
    assert entry.cycles_count == 3
    for kind, table in given.tables.items():
        back = store.table(entry.id, kind)
        assert back.equals(table)
        assert back.schema == table.schema
    assert store.verify() == ()


def test_add_is_add_many_of_one(store, tmp_path):
    (tmp_path / "raw.txt").write_bytes(b"raw")
    added = store.add(
        source_sha256=source_hash(tmp_path / "raw.txt"),
        name="x",
        tables={"cycles": cycles()},
        source=tmp_path / "raw.txt",
    )
    assert added.entry.source_sha256 == hashlib.sha256(b"raw").hexdigest()
    assert added.entry.record == CellRecord()
    assert store.cells()["source_name"].to_list() == ["raw.txt"]
    with pytest.raises(StoreError):
        source_hash(tmp_path / "none")


def test_the_same_source_twice_changes_nothing(store):
    store.add_many([imported("a"), imported("b")])
    before = content(store.folder)
    again = store.add_many([imported("b"), imported("a", name="copy of a.txt")])
    assert [a.already for a in again] == [True, True]
    assert again[1].entry.name == "a"
    assert content(store.folder) == before


def test_the_same_source_twice_in_one_batch_is_one_cell(store):
    added = store.add_many([imported("a"), imported("a")])
    assert [a.already for a in added] == [False, True]
    assert len(store) == 1


def test_another_record_of_the_same_source_needs_replace(store):
    store.add_many([imported("a")])
    other = imported("a", record=CellRecord(group="HB", positive_active_mass_mg=12.0))
    before = content(store.folder)
    with pytest.raises(StoreError) as caught:
        store.add_many([imported("b"), other])
    for part in ("group: 'LB' -> 'HB'", "positive_active_mass_mg: 10.0 -> 12.0"):
        assert part in str(caught.value)
    assert content(store.folder) == before
    assert not store.add_many([other], replace=True)[0].already
    assert store.entry("a").record == other.record
    assert store.cells()["positive_active_mass_mg"].to_list() == [12.0]
    assert store.add_many([other], replace=True)[0].already


def test_two_sources_of_one_id_are_never_mixed(store):
    store.add_many([imported("a")])
    twin = imported("b", source_sha256=sha("a")[:16] + sha("b")[16:])
    for replace in (False, True):
        with pytest.raises(StoreError, match="same 16 digits"):
            store.add_many([twin], replace=replace)


def test_importing_the_store_loads_neither_polars_nor_duckdb():
    code = (
        "import sys, equipoise.io.store; "
        "print({'polars', 'duckdb', 'scipy', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_replacing_tables_removes_the_old_files(store):
    store.add_many([imported("a")])
    other = imported("a", tables={"cycles": cycles(start=5.0)})
    store.add_many([other], replace=True)
    assert store.table("a", "cycles").equals(cycles(start=5.0))
    assert store.entry("a").kinds == ("cycles",)
    assert len(list(store.folder.glob("*/*"))) == 1


def test_a_new_kind_for_a_known_source_needs_replace(store):
    store.add_many([imported("a", tables={"cycles": cycles()})])
    with pytest.raises(StoreError, match="also timeseries"):
        store.add_many([imported("a")])


def test_one_name_may_belong_to_several_cells(store):
    first, second = store.add_many([imported("a"), imported("b", name="a")])
    assert first.entry.id != second.entry.id
    with pytest.raises(StoreError, match="2 cells are named 'a'"):
        store.entry("a")
    assert store.table(second.entry.id, "cycles").height == 3


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b", "Zelle 1\n'; DROP", "日本", "\udcff raw", "."]
)
def test_any_name_is_safe(store, tmp_path, name):
    store.add_many(
        [imported("a", name=name, source=f"/x/{name}", metadata={"n": name})]
    )
    entry = store.entry(store.cells()["cell_id"][0])
    assert store.sql("SELECT name FROM cells")["name"].to_list() == [entry.name]
    files = store.export([entry.id], tmp_path / "out", "csv")
    assert files[0].parent == tmp_path / "out"
    inside = {p.relative_to(store.folder).parts[0] for p in content(store.folder)}
    assert inside == {MARKER, CATALOGUE, LOCK, READERS, "timeseries", "cycles"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source_sha256": "../x"}, "no SHA-256"),
        ({"source_sha256": sha("a").upper()}, "no SHA-256"),
        ({"name": ""}, "needs a name"),
        ({"tables": {}}, "no table"),
        ({"tables": {"cycle": cycles()}}, "no kind of table"),
        ({"tables": {"timeseries": cycles()}}, "Test Time"),
        ({"tables": {"cycles": pl.DataFrame({"Cell_ID": [1]})}}, "may not be named"),
        (
            {"tables": {"cycles": pl.DataFrame({"a": [object()]})}},
            "Python objects",
        ),
        ({"metadata": {"a": float("nan")}}, "JSON"),
        ({"metadata": {"a": object()}}, "JSON"),
    ],
)
def test_an_unsound_import_is_refused_whole(store, changes, words):
    before = content(store.folder)
    with pytest.raises(DataError, match=words):
        store.add_many([imported("good"), imported("bad", **changes)])
    assert {
        p: b for p, b in content(store.folder).items() if p.name != "writer.lock"
    } == {p: b for p, b in before.items() if p.name != "writer.lock"}


def test_an_error_of_the_source_of_imports_leaves_nothing(store):
    def broken():
        yield imported("a")
        raise RuntimeError("reader")

    with pytest.raises(RuntimeError, match="reader"):
        store.add_many(broken())
    assert len(store) == 0
    assert store.verify() == ()
    assert not list(store.folder.glob("*/*"))


def test_a_removed_cell_is_gone_with_its_files(store):
    store.add_many([imported("a"), imported("b")])
    assert store.remove("a").name == "a"
    assert store.cells()["name"].to_list() == ["b"]
    assert len(list(store.folder.glob("*/*"))) == 2
    with pytest.raises(StoreError, match="no cell 'a'"):
        store.remove("a")
    assert not store.add_many([imported("a")])[0].already


# --- disk and lock ---------------------------------------------------------------


@pytest.mark.parametrize("step", range(1, 8))
def test_a_full_disk_at_any_step_changes_nothing(store, monkeypatch, step):
    store.add_many([imported("a")])
    before = content(store.folder)
    real, calls = os.fsync, [0]

    def full(handle):
        calls[0] += 1
        if calls[0] == step:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    committed = False
    try:
        store.add_many([imported("b")])
        committed = True
    except StoreError as error:
        assert "No space left" in error.message  # noqa: PT017
    monkeypatch.undo()
    # Steps: 2 tables, 2 folders, the catalogue; then it is renamed: the commit.
    assert (len(store) == 2) == (committed or step == 6)
    if step <= 5:
        assert content(store.folder) == before
    assert store.verify() == ()


def test_a_file_cut_by_the_system_is_not_seen(store):
    store.add_many([imported("a")])
    before = content(store.folder)
    big = series(30_000).with_columns(
        noise=pl.Series(np.random.default_rng(0).random(30_000))
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(StoreError, match="File too large"):
            store.add_many([imported("b", tables={"timeseries": big})])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert content(store.folder) == before


def test_a_store_that_cannot_be_written_is_still_read(store, monkeypatch):
    store.add_many([imported("a")])
    real = os.open

    def read_only(path, flags, *rest, **named):
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(StoreError, match="Read-only file system"):
        store.add_many([imported("b")])
    with pytest.raises(StoreError, match="Read-only file system"):
        store.remove("a")
    assert Store(store.folder).table("a", "cycles").height == 3
    assert store.sql("SELECT count(*) AS n FROM cycles")["n"][0] == 3
    assert store.verify() == ()


def test_a_second_writer_waits_and_then_says_who_writes(store):
    impatient = Store(store.folder, wait_second=0.05)
    with locked(store.folder, 1.0):
        with pytest.raises(StoreError, match=f"process {os.getpid()} is writing"):
            impatient.add_many([imported("a")])
        assert impatient.verify() == ()
    assert not impatient.add_many([imported("a")])[0].already


def test_a_second_writer_goes_on_when_the_first_is_done(store):
    entered = threading.Event()

    def first():
        with locked(store.folder, 1.0):
            entered.set()
            time.sleep(0.1)

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait()
    assert not store.add_many([imported("a")])[0].already
    thread.join()


def test_leftovers_are_invisible_told_and_swept(store):
    store.add_many([imported("a")])
    (store.folder / "cycles" / ".unfinished-1234").write_bytes(b"x")
    (store.folder / "cycles" / f"{sha('z')[:16]}-{sha('y')[:16]}.parquet").write_bytes(
        b""
    )
    (store.folder / "cycles" / "notes of the user.txt").write_bytes(b"x")
    assert len(store) == 1
    assert store.sql("SELECT count(*) AS n FROM cycles")["n"][0] == 3
    assert [(p.cell_id, "killed or replaced" in p.what) for p in store.verify()] == [
        ("", True),
        ("", True),
    ]
    store.add_many([imported("b")])
    assert store.verify() == ()
    assert (store.folder / "cycles" / "notes of the user.txt").exists()


# --- damage ----------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["cut", "empty", "missing", "flipped"])
def test_a_damaged_table_is_named_and_can_be_imported_again(store, damage):
    store.add_many([imported("a"), imported("b")])
    name = next(f.file for f in store.entry("a").files if f.kind == "cycles")
    path = store.folder / name
    raw = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        flipped = bytes([*raw[:40], raw[40] ^ 255, *raw[41:]])
        path.write_bytes({"cut": raw[:-100], "empty": b"", "flipped": flipped}[damage])
    problem = store.verify()
    assert [(p.file, p.cell_id) for p in problem] == [(name, store.entry("a").id)]
    if damage != "flipped":  # nothing but the hash is sure to show that
        with pytest.raises(StoreError, match="cannot be read") as caught:
            store.table("a", "cycles")
        assert caught.value.where == str(path)
        assert "verify" in caught.value.remedy
        with pytest.raises(StoreError, match=path.name):
            store.sql("SELECT sum(discharging_capacity_ah) FROM cycles")
    assert store.table("b", "cycles").equals(cycles())
    store.add_many([imported("a"), imported("c")])  # known: not looked at
    assert len(store.verify()) == 1
    store.add_many([imported("a")], replace=True)
    assert store.verify() == ()
    assert store.table("a", "cycles").equals(cycles())


# --- reading ---------------------------------------------------------------------


def test_rows_of_cycles_and_columns_are_chosen(store):
    store.add_many([imported("a")])
    whole = series()
    by_cycle = store.table("a", "timeseries", cycles=2)
    assert by_cycle.equals(whole.filter(pl.col("cycle_count") == 2))
    some = store.table("a", "timeseries", cycles=[3, 1], columns=["voltage_volt"])
    assert some.equals(whole.filter(pl.col("cycle_count") != 2).select("voltage_volt"))
    names = ["step_type", "voltage_volt"]
    assert store.table("a", "timeseries", columns=names).columns == names
    assert store.table("a", "timeseries", cycles=range(0)).height == 0
    assert store.table("a", "timeseries", cycles=np.arange(1, 3)).height == 40


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"kind": "cycles", "cycles": [2, 9]}, "no cycle 9"),
        ({"kind": "timeseries", "columns": ["voltage"]}, "no column 'voltage'"),
        ({"kind": "timeseries", "cycles": 1.5}, "whole numbers"),
        ({"kind": "timeseries", "cycles": ["1"]}, "whole numbers"),
        ({"kind": "spectra"}, "it has timeseries, cycles"),
        ({"kind": "cycle"}, "it has timeseries, cycles"),
    ],
)
def test_what_is_not_there_is_said(store, call, words):
    store.add_many([imported("a")])
    with pytest.raises(DataError, match=words):
        store.table("a", **call)


def test_a_table_without_cycles_cannot_be_cut_by_them(store):
    plain = series().drop("cycle_count")
    store.add_many([imported("a", tables={"timeseries": plain})])
    assert store.entry("a").cycles_count is None
    with pytest.raises(DataError, match="does not count cycles"):
        store.table("a", "timeseries", cycles=1)


def test_an_unknown_cell_is_said_with_the_nearest(store):
    with pytest.raises(StoreError, match="empty"):
        store.entry("x")
    store.add_many([imported("LB-1")])
    with pytest.raises(StoreError, match="did you mean 'LB-1'"):
        store.table("LB1", "cycles")


def test_the_folder_of_a_store_may_have_any_name(tmp_path):
    store = Store(tmp_path / "a=1 [x] 'q' *" / "s", create=True)
    store.add_many([imported("a")])
    assert store.table("a", "cycles", cycles=2).height == 1
    assert store.sql("SELECT count(*) AS n FROM cycles")["n"][0] == 3


def test_cells_lists_everything_a_person_looks_for(store):
    store.add_many([imported("a"), imported("b", tables={"cycles": cycles()})])
    rows = store.cells().to_dicts()
    assert rows[0] | {"imported_utc": None} == rows[0] | {
        "cell_id": sha("a")[:16],
        "name": "a",
        "grp": "LB",
        "replicate": "1",
        "kinds": "timeseries, cycles",
        "rows_count": ROWS,
        "cycles_count": 3,
        "positive_active_mass_mg": 10.0,
        "negative_active_mass_mg": None,
        "source_name": "a.txt",
        "source_sha256": sha("a"),
        "source_format": "maccor",
        "imported_utc": None,
    }
    assert (rows[1]["kinds"], rows[1]["rows_count"]) == ("cycles", 0)


def test_a_thousand_cells_are_listed_at_once(store):
    small = {"cycles": pl.DataFrame({"cycle_count": [1]})}
    store.add_many(imported(i, tables=small) for i in range(1000))
    start = time.perf_counter()
    assert Store(store.folder).cells().height == 1000
    assert time.perf_counter() - start < 0.5  # measured: 3 ms
    found = store.sql(
        "SELECT count(DISTINCT cell_id) AS n FROM cycles JOIN cells USING (cell_id)"
    )
    assert found["n"][0] == 1000


# --- SQL -------------------------------------------------------------------------


def test_sql_joins_cells_and_cycles_of_different_columns(store):
    extra = cycles().with_columns(extra_ratio=pl.lit(1.0))
    store.add_many(
        [
            imported("a"),
            imported("b", tables={"cycles": extra}, record=CellRecord(group="HB")),
        ]
    )
    query = """
        SELECT grp, min(cycle_count) AS life, count(extra_ratio) AS extras -- comment
        FROM cycles JOIN cells USING (cell_id)
        WHERE discharging_capacity_ah < 1.85
        GROUP BY grp ORDER BY grp DESC;  -- the end
    """
    expected = {"grp": ["LB", "HB"], "life": [2, 2], "extras": [0, 2]}
    assert store.sql(query).to_dict(as_series=False) == expected
    assert store.sql("SELECT count(*) AS n FROM timeseries")["n"][0] == ROWS
    one = store.sql(f"SELECT * FROM cycles WHERE cell_id = '{sha('a')[:16]}'")
    assert one.height == 3


def test_sql_sees_the_newest_state(store):
    count = "SELECT count(*) AS n FROM cells"
    assert store.sql(count)["n"][0] == 0
    assert store.sql("SELECT * FROM timeseries").height == 0
    Store(store.folder).add_many([imported("a")])
    assert store.sql(count)["n"][0] == 1


def test_sql_keeps_null_apart_from_nan(store):
    table = pl.DataFrame(
        {"cycle_count": [1, 2, 3], "x_ratio": [1.0, float("nan"), None]}
    )
    store.add_many([imported("a", tables={"cycles": table})])
    found = store.sql("SELECT cycle_count, x_ratio FROM cycles ORDER BY cycle_count")
    assert found.equals(table)
    assert found["x_ratio"].is_null().to_list() == [False, False, True]


def test_sql_returns_every_common_type(store):
    found = store.sql("""
        SELECT 1 AS i, NULL::BIGINT AS missing, sum(x) AS total, 0.5 AS decimal_number,
            DATE '2026-01-02' AS day, TIMESTAMP '2026-01-02 03:04:05' AS moment,
            TRUE AS yes, 'a' AS text, [1, 2] AS several, {'a': 1} AS struct,
            count(*) AS n, NULL AS nothing, 'ab'::BLOB AS bytes,
            CAST(170141183460469231731687303715884105727 AS HUGEINT) AS huge,
            '00000000-0000-0000-0000-000000000001'::UUID AS id, 1 AS i
        FROM range(3) AS r(x)
    """)
    assert found.columns[-1] == "i_1"
    row = found.drop("day", "moment").row(0, named=True)
    assert row == {
        "i": 1,
        "missing": None,
        "total": 3,
        "decimal_number": 0.5,
        "yes": True,
        "text": "a",
        "several": [1, 2],
        "struct": {"a": 1},
        "n": 3,
        "nothing": None,
        "bytes": b"ab",
        "huge": pytest.approx(1.7014118346046923e38),
        "id": "00000000-0000-0000-0000-000000000001",
        "i_1": 1,
    }
    assert (found.schema["day"], found.schema["total"]) == (pl.Date, pl.Int64)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM cells",
        "WITH a AS (DELETE FROM cells RETURNING *) SELECT * FROM a",
        "WITH a AS (INSERT INTO cells SELECT * FROM cells RETURNING *) FROM a",
        "COPY cells TO '{folder}/x.csv'",
        "WITH a AS (COPY (SELECT 1) TO '{folder}/x.csv') SELECT 1",
        "WITH a AS (COPY (SELECT 1) TO '{folder}/cycles/x.csv') SELECT * FROM a",
        "SELECT 1) AS b; COPY (SELECT 1) TO '{folder}/x.csv'; SELECT * FROM (SELECT 1",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM json_execute_serialized_sql('x')",
        "SELECT 1; SELECT 2",
        "ATTACH '{folder}/x.db'",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "SELECT * FROM read_text('{outside}')",
        "SELECT * FROM '{outside}'",
        "SELECT * FROM read_csv('{folder}/../secret.csv')",
        "SELECT * FROM read_csv('{folder}2.csv')",
        "SELECT * FROM secret_frame",
        "INSTALL httpfs",
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT nonsense FROM cells",
        "SELECT * FROM cells WHERE name > ",
        "SELECT CAST('x' AS INTEGER)",
    ],
)
def test_sql_can_neither_write_nor_look_elsewhere(store, query):
    secret_frame = pl.DataFrame({"a": [1]})
    assert secret_frame.height == 1
    store.add_many([imported("a")])
    outside = store.folder.parent / "secret.csv"
    outside.write_text("a\n1\n")
    Path(f"{store.folder}2.csv").write_text("a\n1\n")
    before = content(store.folder)
    with pytest.raises(DataError):
        store.sql(
            query.replace("{folder}", str(store.folder)).replace(
                "{outside}", str(outside)
            )
        )
    assert content(store.folder) == before
    assert store.sql("SELECT count(*) AS n FROM cells")["n"][0] == 1


def test_errors_of_sql_carry_the_words_of_duckdb(store):
    with pytest.raises(DataError, match="nonsense"):
        store.sql("SELECT nonsense FROM cells")


def test_ctrl_c_stops_a_long_query(store):
    long = """SELECT count(*) FROM range(100000) AS a(x), range(1000000) AS b(y)
        WHERE (x * y) % 7 = 3"""
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        store.sql(long)
    assert time.perf_counter() - start < 10.0
    assert store.sql("SELECT 1 AS x")["x"][0] == 1


def test_no_pyarrow_and_no_pandas_are_needed(store):
    store.add_many([imported("a")])
    store.sql("SELECT * FROM cells JOIN cycles USING (cell_id)")
    assert not {"pyarrow", "pandas"} & set(sys.modules)


# --- export ----------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_exported_cells_read_back_exactly(store, tmp_path, form):
    store.add_many([imported("a"), imported("b", record=CellRecord(group="HB"))])
    files = store.export("grp = 'LB'", tmp_path / "out", form)
    assert [f.name for f in files] == [f"a-{sha('a')[:16]}.bdf.{form}"]
    assert read_bdf(files[0]).equals(series())
    metadata = read_metadata(files[0])
    assert metadata["cell_record"]["group"] == "LB"
    assert metadata["source"]["sha256"] == sha("a")
    assert metadata["instrument"] == "µ-cycler"


def test_a_selection_is_a_cell_several_or_a_condition(store):
    store.add_many([imported("a"), imported("b"), imported("c")])
    ids = [sha(k)[:16] for k in "abc"]
    assert store.select("b") == [ids[1]]
    assert store.select(ids[2]) == [ids[2]]
    assert store.select(["c", "a", "c"]) == [ids[2], ids[0]]
    assert store.select("name <> 'b'") == [ids[0], ids[2]]
    assert store.select("rows_count > 0 -- all") == ids
    with pytest.raises(StoreError, match="no cell fulfils"):
        store.select("grp = 'none'")
    with pytest.raises(DataError):
        store.select("grp == ")


def test_what_cannot_be_exported_is_said_before_anything_is_written(store, tmp_path):
    store.add_many([imported("a"), imported("b", tables={"cycles": cycles()})])
    with pytest.raises(DataError, match="no time series"):
        store.export(["a", "b"], tmp_path / "out")
    with pytest.raises(DataError, match="not a form"):
        store.export(["a"], tmp_path / "out", "xlsx")
    assert not Path(tmp_path / "out").exists()
