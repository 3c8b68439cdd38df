"""Speed of readers, cycle sums, dQ/dV and the store, against peers in the same run.

Usage: python benchmarks/bench_cycling.py [--quick] [--out FOLDER]

All contestants of a table run in one process, in turn (A B C A B C ...), on data made
in a temporary folder, the same in every run. Polars and DuckDB may use two threads,
everything else one. Answers are compared before anything is timed, and dQ/dV carries
its error beside its time. See docs/reference/benchmarks.md.
"""

from __future__ import annotations

# isort: off
from bench_design import say  # sets threads
import os

os.environ["POLARS_MAX_THREADS"] = "2"  # before polars is imported

# isort: on
import argparse
import gc
import json
import platform
import sqlite3
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import cycling_data as data
import cycling_peers as peers
import numpy as np
import polars as pl
from cycling_peers import SLOW, Turn, in_turn, memory, row_of, section, starting, there
from cycling_report import limits, markdown

from equipoise.analysis.dqdv import dqdv, dqdv_of
from equipoise.analysis.half_cycles import HalfCycles, charge_passed, half_cycles
from equipoise.analysis.summary import cycle_summary
from equipoise.io.readers import bdf_table
from equipoise.io.readers.options import Options
from equipoise.io.readers.prove import prove
from equipoise.io.readers.read import read
from equipoise.io.readers.source import open_source
from equipoise.io.store import Import, Store
from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("equipoise", "numpy", "scipy", "numba", "polars")
OURS = "equipoise read()"
SAMPLED_CYCLES = 10
"""Of navani, which needs tens of milliseconds for each."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    rounds: int
    cycles: int
    cells: int
    cycles_per_cell: int
    csv_cells: int
    series_cells: int


FULL = Size(9, 1000, 1000, 1500, 100, 5)
QUICK = Size(1, 100, 100, 500, 10, 2)


# --- readers ---


def reading(files: data.Files, rounds: int, absent: dict[str, str]) -> dict:
    """Every format against the bare cutting of the same file."""

    def contest(title: str, note: str, path: Path, **others: Turn) -> dict:
        size = f"{read(path).table.height:,} rows, {path.stat().st_size / 1e6:.0f} MB"
        ours = Turn(OURS, "all proofs, hash", 1, lambda: read(path))
        turns = [ours, *there(absent, **others)]
        return section(f"{title}, {size}", note, in_turn(turns, rounds), OURS)

    def bare(name: str, what: str, run: Callable, path: Path, most: int = 1000) -> Turn:
        return Turn(name, what, 1, lambda: run(path), most=most)

    _same_table(read(files.csv).table, peers.polars_csv(files.csv))
    checked = "read, its validation"
    sections = {
        "csv": contest(
            "BDF CSV",
            "Ours settles and proves units and signs; the others do not.",
            files.csv,
            polars=bare("polars", "read_csv", peers.polars_csv, files.csv),
            pandas=bare("pandas", "read_csv", peers.pandas_csv, files.csv),
            batterydf=bare("batterydf", checked, peers.batterydf, files.csv, SLOW),
            battery_data_standard=bare(
                "battery-data-standard",
                checked,
                peers.battery_data_standard,
                files.csv,
                SLOW,
            ),
        ),
        "csv_parts": parts(files.csv, rounds),
        "csv_memory": memory(files.csv),
        "parquet": contest(
            "BDF Parquet",
            "",
            files.parquet,
            polars=bare("polars", "read_parquet", pl.read_parquet, files.parquet),
        ),
        "maccor": contest(
            "MACCOR text, 12 columns",
            "The others only cut it; the current has no sign, the clock is text.",
            files.maccor,
            polars=bare("polars", "read_csv", peers.polars_maccor, files.maccor),
            pandas=bare("pandas", "read_csv", peers.pandas_maccor, files.maccor),
        ),
    }
    if (path := data.real_mpr()) is not None:
        sections["mpr"] = contest(
            "Bio-Logic .mpr, measured",
            "",
            path,
            datalab_org_galvani=bare(
                "galvani", "the records as they are", peers.galvani_mpr, path
            ),
        )
    return sections


def _same_table(ours: pl.DataFrame, bare: pl.DataFrame) -> None:
    for mine, theirs in zip(ours.get_columns(), bare.get_columns(), strict=True):
        assert np.array_equal(mine.to_numpy(), theirs.to_numpy()), mine.name


STAGES = (
    ("SHA-256", "identity of the file; beside the others in a thread of its own"),
    ("table", "cut and typed by polars, full rows checked"),
    ("proofs", "time, sign, charge against both counters"),
)


def parts(path: Path, rounds: int) -> dict:
    """Where the time of our reader goes, one stage after the other."""
    spent: dict[str, tuple[list[float], list[float]]] = {k: ([], []) for k, _ in STAGES}
    options = Options(frozenset(), None, CellRecord())
    for i in range(-1, rounds):
        gc.collect()
        source = open_source(path)
        draft = None
        for name, _ in STAGES:
            w, p = time.perf_counter(), time.process_time()
            if name == "SHA-256":
                source.sha256()
            elif name == "table":
                draft = bdf_table.draft(source, options)
            else:
                assert draft is not None
                prove(draft, str(path))
            p, w = time.process_time() - p, time.perf_counter() - w
            if i >= 0:
                spent[name][0].append(w)
                spent[name][1].append(p)
    rows = [row_of(Turn(name, what, 1, len), *spent[name]) for name, what in STAGES]
    return section("Parts of reading that CSV file", "", rows)


# --- sums per cycle ---


def summing(table: pl.DataFrame, rounds: int, absent: dict[str, str]) -> dict:
    """Charge, energy and extrema per cycle."""

    def current() -> pl.DataFrame:
        return cycle_summary(table, source="current", kinds=False)

    def counters() -> pl.DataFrame:
        return cycle_summary(table)

    turns = [
        Turn("equipoise, from the current", "22 columns, rows checked", 1, current),
        Turn(
            "equipoise, from the counters, classified",
            "the default: counters checked, kinds of cycles added",
            1,
            counters,
        ),
    ]
    if not {"pandas", "duckdb"} & set(absent):
        sums = peers.Sums(table)
        what = "4 sums, extrema, rows"
        others = {
            "numpy": ("reduceat: 4 bare sums, extrema", sums.by_numpy),
            "pandas": (f"groupby: {what}", sums.by_pandas),
            "polars": (f"group_by: {what}", sums.by_polars),
            "duckdb": (f"window and GROUP BY: {what}", sums.by_duckdb),
        }
        _same_sums(current(), counters(), {k: f() for k, (_, f) in others.items()})
        turns += [Turn(name, text, 1, run) for name, (text, run) in others.items()]
    cycles = table["cycle_count"].n_unique()
    note = "All agree in charge and discharge of every cycle to 1e-9."
    return section(
        f"Sums of {cycles:,} cycles of {table.height // cycles:,} rows",
        note,
        in_turn(turns, rounds),
        turns[0].name,
    )


def _same_sums(ours: pl.DataFrame, counted: pl.DataFrame, theirs: dict) -> None:
    names = ("charging_capacity_ah", "discharging_capacity_ah")
    for number, name in enumerate(names):
        wanted = ours[name].to_numpy()
        for peer, found in theirs.items():
            np.testing.assert_allclose(found[number], wanted, rtol=1e-9, err_msg=peer)
        # counters are printed with five decimals
        np.testing.assert_allclose(counted[name].to_numpy(), wanted, atol=1.1e-5)


# --- dQ/dV ---


def differentiating(table: pl.DataFrame, rounds: int, absent: dict[str, str]) -> dict:
    """Time of all half-cycles, and error of the curves of charge."""
    halves, charge = half_cycles(table), charge_passed(table)
    volt = table["voltage_volt"].to_numpy()
    variants = {
        "equipoise dqdv()": {},
        "equipoise dqdv(), 2 mV": {"smoothing_millivolt": 2.0},
        "equipoise dqdv(), Savitzky-Golay": {
            "smoothing": "savitzky-golay",
            "smoothing_millivolt": 10.0,
        },
    }
    text = "from the table: checks, charge, holds, 1 mV grid"
    turns = [
        Turn(name, text, 1, lambda o=options: dqdv(table, **o))
        for name, options in variants.items()
    ]
    where = (charge, volt, halves.start, halves.stop)
    turns.append(
        Turn(
            "equipoise dqdv_of()",
            "the same from arrays, default",
            1,
            lambda: dqdv_of(*where),
        )
    )
    cut = [_half(halves, charge, volt, k) for k in range(len(halves))]
    curves = {
        k: f
        for k, f in peers.CURVES.items()
        if not (k.startswith("navani") and "navani" in absent)
    }
    for name, curve in curves.items():
        part = cut[: 2 * SAMPLED_CYCLES] if name.startswith("navani") else cut
        turns.append(
            Turn(
                name,
                (curve.__doc__ or "").strip().rstrip("."),
                1,
                lambda f=curve, p=part: [f(*half) for half in p],
                most=SLOW,
                times=len(cut) / len(part),
            )
        )
    charges = [
        (*cut[k], float(halves.capacity_ah[k])) for k in range(0, 2 * SAMPLED_CYCLES, 2)
    ]
    errors = {name: data.curve_errors(curve, charges) for name, curve in curves.items()}
    for name, options in variants.items():
        found = dqdv(table, **options)
        rows = iter(found.dqdv_ah_per_volt[::2])
        errors[name] = data.curve_errors(
            lambda *_, x=found.voltage_volt, z=rows: (x, next(z)), charges
        )
    found = section(
        f"dQ/dV of {len(halves) // 2:,} cycles of {table.height * 2 // len(halves):,} "
        "rows",
        f"Errors: medians over the first {SAMPLED_CYCLES} charges, against the exact "
        "curve, at its sharpest peak (42 mV wide at half height) and over its range.",
        in_turn(turns, rounds),
        turns[0].name,
    )
    return found | {"errors": errors}


def _half(
    halves: HalfCycles, charge: np.ndarray, volt: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Charge since the start and voltage of half-cycle k."""
    rows = slice(int(halves.start[k]), int(halves.stop[k]))
    return charge[rows] - charge[rows][0], volt[rows]


# --- store ---


def storing(size: Size, folder: Path, absent: dict[str, str]) -> dict:
    """Import and queries of many cells."""
    tables = [data.cell_cycles(i, size.cycles_per_cell) for i in range(size.cells)]
    imports = [
        Import(data.source_of(i), f"cell {i}", {"cycles": table})
        for i, table in enumerate(tables)
    ]
    ids = [data.source_of(i)[:16] for i in range(size.cells)]
    whole = pl.concat(
        t.with_columns(pl.lit(name).alias("cell_id"))
        for t, name in zip(tables, ids, strict=True)
    )
    number = count()

    def fill() -> Store:
        store = Store(folder / f"cells-{next(number)}", create=True)
        store.add_many(imports)
        return store

    native, lite = folder / "cells.duckdb", folder / "cells.sqlite"
    turns = [
        Turn("equipoise Store.add_many", "one Parquet file per cell, synced", 1, fill),
        *there(
            absent,
            duckdb=Turn(
                "DuckDB", "one table", 1, lambda: peers.duckdb_file(native, whole)
            ),
        ),
        Turn(
            "SQLite",
            "one table, index on the cell",
            1,
            lambda: peers.sqlite_file(lite, whole),
            most=1,
        ),
    ]
    sections = {
        "import": section(
            f"Import of {size.cells:,} cells x {size.cycles_per_cell:,} cycles, "
            f"{len(data.CYCLE_COLUMNS)} columns",
            "",
            in_turn(turns, min(size.rounds, 5)),
            turns[0].name,
        )
    }
    store = fill()
    files = store.folder.rglob("*.parquet")
    sections["import"]["bytes"] = {
        "equipoise": sum(p.stat().st_size for p in files),
        "DuckDB": native.stat().st_size if native.exists() else None,
        "SQLite": lite.stat().st_size,
    }
    csv = folder / "csv"
    csv.mkdir()
    for table, name in zip(tables[: size.csv_cells], ids, strict=False):
        table.write_csv(csv / f"{name}.csv")
    return sections | asking(store, size, native, lite, csv, absent)


def asking(
    store: Store,
    size: Size,
    native: Path,
    lite: Path,
    csv: Path,
    absent: dict[str, str],
) -> dict:
    """End of life of all cells, warm and from a fresh process."""
    query = peers.END_OF_LIFE
    lite_open = sqlite3.connect(lite)

    def by_sqlite() -> list:
        return lite_open.execute(query).fetchall()

    wanted = dict(store.sql(query).rows())
    assert dict(by_sqlite()) == wanted
    turns = [Turn("equipoise Store.sql", "warm", 1, lambda: store.sql(query))]
    if "duckdb" not in absent:
        import duckdb

        native_open = duckdb.connect(
            str(native), read_only=True, config={"threads": peers.THREADS}
        )

        def by_duckdb() -> dict:
            return native_open.execute(query).fetchnumpy()

        found = by_duckdb()
        assert dict(zip(found["cell_id"], found["end_of_life"], strict=True)) == wanted
        turns.append(Turn("DuckDB", "one native table, warm", 1, by_duckdb))
    turns.append(Turn("SQLite", "one table, warm", 1, by_sqlite, most=SLOW))
    if "pandas" not in absent:
        few = peers.pandas_folder(csv)
        assert all(wanted[k] == v for k, v in few.items())
        turns.append(
            Turn(
                "pandas",
                f"{size.csv_cells} of {size.cells} CSV files read",
                1,
                lambda: peers.pandas_folder(csv),
                most=SLOW,
                times=size.cells / size.csv_cells,
            )
        )
    rows = in_turn(turns, size.rounds)
    lite_open.close()
    if "duckdb" not in absent:
        native_open.close()
    fresh = {
        "python": ("bare interpreter", ["-c", "pass"]),
        "equipoise": (
            "import, open, ask",
            ["-c", peers.FRESH_STORE, str(store.folder), query],
        ),
        "DuckDB": ("the same", ["-c", peers.FRESH_DUCKDB, str(native), query]),
        "SQLite": ("the same", ["-c", peers.FRESH_SQLITE, str(lite), query]),
    }
    if "duckdb" in absent:
        del fresh["DuckDB"]
    asked = f"End of life of {size.cells:,} cells"
    return {
        "query": section(
            f"{asked}: first cycle below 80 % of nominal", "", rows, turns[0].name
        ),
        "query_process": section(
            f"{asked}, one process from start to end", "", starting(fresh, size.rounds)
        ),
    }


def series(table: pl.DataFrame, size: Size, folder: Path, absent: dict) -> dict:
    """Long time series: written, and one cycle of one cell read."""
    table = table.select(pl.all().exclude("^.*_ah$"))
    cells = range(size.series_cells)
    imports = [
        Import(data.source_of(i), f"cell {i}", {"timeseries": table}) for i in cells
    ]
    number = count()

    def fill() -> Store:
        store = Store(folder / f"series-{next(number)}", create=True)
        store.add_many(imports)
        return store

    bare = folder / "bare.parquet"
    turns = [
        Turn("equipoise Store.add_many", "zstd, hashed, synced", 1, fill),
        Turn(
            "polars",
            "write_parquet of the same, no sync",
            1,
            lambda: [table.write_parquet(bare) for _ in cells],
        ),
    ]
    rows = table.height * size.series_cells
    written = in_turn(turns, 3)
    store = fill()
    cell, cycle = data.source_of(1)[:16], int(table["cycle_count"].median())
    mine = [p for p in (store.folder / "timeseries").iterdir() if p.name[:16] == cell]

    def scan() -> pl.DataFrame:
        found = pl.scan_parquet(mine[0]).filter(pl.col("cycle_count") == cycle)
        return found.collect()

    def ask() -> pl.DataFrame:
        return store.table(cell, "timeseries", cycles=cycle)

    query = (
        f"SELECT * FROM timeseries WHERE cell_id = '{cell}' AND cycle_count = {cycle}"
    )
    assert ask().equals(scan())
    assert store.sql(query).height == ask().height
    turns = [
        Turn("equipoise Store.table", "one cycle of one cell", 1, ask),
        Turn("equipoise Store.sql", "the same by SQL", 1, lambda: store.sql(query)),
        Turn("polars", "scan_parquet of the file, path known", 1, scan),
    ]
    if "duckdb" not in absent:
        turns += peers.duckdb_series(
            table, size.series_cells, folder / "series.duckdb", cycle
        )
    return {
        "series_write": section(
            f"{rows / 1e6:.3g} M rows of time series written, {table.width} columns",
            "",
            written,
            "equipoise Store.add_many",
        ),
        "series_read": section(
            f"One cycle of one cell out of {rows / 1e6:.3g} M rows",
            "",
            in_turn(turns, size.rounds),
            "equipoise Store.table",
        ),
    }


# --- start-up ---


def commands(files: data.Files, rounds: int) -> dict:
    """The command line on a small file."""
    small = str(files.small)
    program = ["-m", "equipoise"]
    rows = starting(
        {
            "python": ("bare interpreter", ["-c", "pass"]),
            "import polars": ("which every reader needs", ["-c", "import polars"]),
            "equipoise read FILE": ("CSV, 4,000 rows", [*program, "read", small]),
            "equipoise cycles FILE": ("the same file", [*program, "cycles", small]),
        },
        rounds,
    )
    return section("One command from start to end", "Kernels cached.", rows)


# --- all of it ---


def measured(size: Size, folder: Path, absent: dict[str, str]) -> dict:
    """All sections."""
    say("data")
    table = data.time_series(size.cycles)
    files = data.write_files(table, folder)
    say("readers")
    found = reading(files, size.rounds, absent)
    say("sums")
    found["sums"] = summing(table, size.rounds, absent)
    say("dQ/dV")
    found["dqdv"] = differentiating(table, size.rounds, absent)
    say("store")
    found |= storing(size, folder, absent)
    say("time series in a store")
    found |= series(table, size, folder, absent)
    say("commands")
    found["commands"] = commands(files, size.rounds)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small data; a check")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results", help="folder"
    )
    options = parser.parse_args()
    assert pl.thread_pool_size() == peers.THREADS, "polars was imported too early"
    load, begin = [os.getloadavg()[0]], time.perf_counter()
    absent = peers.missing()
    for name, why in absent.items():
        say(f"not there: {name} ({why})")
    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder:
        size = QUICK if options.quick else FULL
        sections = measured(size, Path(folder), absent)
    load.append(os.getloadavg()[0])
    result = {
        "quick": options.quick,
        "cores": os.cpu_count(),
        "threads": {"polars": peers.THREADS, "duckdb": peers.THREADS, "others": 1},
        "load_average": load,
        "seconds": time.perf_counter() - begin,
        "python": platform.python_version(),
        "versions": {n: version(n) for n in PACKAGES} | peers.versions(),
        "missing": absent,
        "size": asdict(size),
        "limits": limits(sections, quick=options.quick),
        "sections": sections,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "cycling.json").write_text(json.dumps(result, indent=1) + "\n")
    text = markdown(result)
    (options.out / "cycling.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
