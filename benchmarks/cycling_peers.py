"""What others need for the same, and how all take turns.

Peers live in the environment of benchmarks only (benchmarks/peers.txt). One that is
not there is reported with the reason, not left out in silence.
"""

from __future__ import annotations

import gc
import importlib
import sqlite3
import subprocess
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import cycling_data as data
import numpy as np
import polars as pl
from bench_design import Contestant, Row, Timing, process_seconds, say

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES = {
    "pandas": "pandas",
    "duckdb": "duckdb",
    "batterydf": "bdf",
    "battery-data-standard": "battery_data_standard",
    "navani": "navani.echem",
    "datalab-org-galvani": "galvani",
}
DTYPES = {
    "Test Time / s": "float64",
    "Voltage / V": "float64",
    "Current / A": "float64",
    "Cycle Count / 1": "int64",
    "Charging Capacity / Ah": "float64",
    "Discharging Capacity / Ah": "float64",
}
SLOW = 3
"""Samples of contestants that take seconds; they have no warm-up."""
THREADS = 2
"""Of polars and DuckDB, as many as the cores of the reference machine."""


def missing() -> dict[str, str]:
    """Peers that cannot be used -> why."""
    found = {}
    for name, module in MODULES.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(module)
        except Exception as error:  # broken peers fail in many ways
            reason = str(error).splitlines() or [""]
            found[name] = f"{type(error).__name__}: {reason[0]}"
    return found


def versions() -> dict[str, str]:
    """Of all peers that are there."""
    found = {}
    for name in MODULES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


# --- readers ---


def polars_csv(path: Path) -> pl.DataFrame:
    types = {n: pl.Int64 if t == "int64" else pl.Float64 for n, t in DTYPES.items()}
    return pl.read_csv(path, schema_overrides=types)


def polars_maccor(path: Path) -> pl.DataFrame:
    """The cells of the table cut and typed, nothing else."""
    return pl.read_csv(path, separator="\t", skip_rows=1, infer_schema_length=1000)


def pandas_csv(path: Path) -> object:
    import pandas as pd

    return pd.read_csv(path, dtype=DTYPES)


def pandas_maccor(path: Path) -> object:
    import pandas as pd

    return pd.read_csv(path, sep="\t", skiprows=1)


def pandas_parquet(path: Path) -> object:
    import pandas as pd

    return pd.read_parquet(path)


def batterydf(path: Path) -> object:
    """Validation: required labels, and whether the time runs back."""
    import bdf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bdf.read(path, validate=True)


def battery_data_standard(path: Path) -> object:
    """As it comes, but without inserting rows where it sees a gap."""
    import battery_data_standard as bds

    return bds.read(path, time_sampling_policy="warn")


def galvani_mpr(path: Path) -> object:
    from galvani import BioLogic

    return BioLogic.MPRfile(str(path)).data


# --- sums per cycle: charge, discharge (Ah), their energies (Wh), extrema, rows ---


class Sums:
    """The same table in every form, made before the clock runs."""

    def __init__(self, table: pl.DataFrame) -> None:
        import duckdb
        import pandas as pd

        names = ("test_time_second", "voltage_volt", "current_ampere", "cycle_count")
        self.arrays = {n: table[n].to_numpy() for n in names}
        self.polars = table.select(names)
        self.pandas = pd.DataFrame(self.arrays)
        self.duckdb = duckdb.connect(":memory:", config={"threads": THREADS})
        self.duckdb.register("arrays", self.arrays)
        self.duckdb.execute("CREATE TABLE series AS SELECT * FROM arrays")

    def by_numpy(self) -> tuple[np.ndarray, np.ndarray]:
        """Bare sums: nothing is checked, cycles must stand together."""
        t, v, i, cycle = self.arrays.values()
        starts = np.concatenate(([0], np.flatnonzero(np.diff(cycle)) + 1))
        hours = np.diff(t, prepend=t[0])
        hours /= 7200.0
        sums = []
        for sign in (1.0, -1.0):
            part = np.maximum(sign * i, 0.0)
            for values in (part, part * v):
                row = values.copy()
                row[1:] += values[:-1]
                row *= hours
                sums.append(np.add.reduceat(row, starts))
        np.maximum.reduceat(v, starts), np.minimum.reduceat(v, starts)
        return sums[0], sums[2]

    def by_pandas(self) -> tuple[np.ndarray, np.ndarray]:
        f = self.pandas
        hours = f["test_time_second"].diff().fillna(0.0) / 7200.0
        columns = {"cycle_count": f["cycle_count"], "v": f["voltage_volt"]}
        for name, sign in (("up", 1.0), ("down", -1.0)):
            part = (sign * f["current_ampere"]).clip(lower=0.0)
            power = part * f["voltage_volt"]
            columns[name] = (part + part.shift(fill_value=0.0)) * hours
            columns[f"{name}_wh"] = (power + power.shift(fill_value=0.0)) * hours
        import pandas as pd

        out = (
            pd.DataFrame(columns)
            .groupby("cycle_count", sort=False)
            .agg(
                up=("up", "sum"),
                down=("down", "sum"),
                up_wh=("up_wh", "sum"),
                down_wh=("down_wh", "sum"),
                highest=("v", "max"),
                lowest=("v", "min"),
                rows=("v", "size"),
            )
        )
        return out["up"].to_numpy(), out["down"].to_numpy()

    def by_polars(self) -> tuple[np.ndarray, np.ndarray]:
        hours = pl.col("test_time_second").diff().fill_null(0.0) / 7200.0
        columns = [pl.col("cycle_count"), pl.col("voltage_volt").alias("v")]
        for name, sign in (("up", 1.0), ("down", -1.0)):
            part = (sign * pl.col("current_ampere")).clip(0.0)
            power = part * pl.col("voltage_volt")
            columns += [
                ((part + part.shift(fill_value=0.0)) * hours).alias(name),
                ((power + power.shift(fill_value=0.0)) * hours).alias(f"{name}_wh"),
            ]
        out = (
            self.polars.lazy()
            .select(columns)
            .group_by("cycle_count", maintain_order=True)
            .agg(
                pl.col("up", "down", "up_wh", "down_wh").sum(),
                pl.col("v").max().alias("highest"),
                pl.col("v").min().alias("lowest"),
                pl.len().alias("rows"),
            )
            .collect()
        )
        return out["up"].to_numpy(), out["down"].to_numpy()

    def by_duckdb(self) -> tuple[np.ndarray, np.ndarray]:
        out = self.duckdb.execute(_SUMS).fetchnumpy()
        return out["up"], out["down"]


_SUMS = """
WITH parts AS (
  SELECT cycle_count, test_time_second AS t, voltage_volt AS v,
         greatest(current_ampere, 0) AS c, greatest(-current_ampere, 0) AS d
  FROM series
), steps AS (
  SELECT cycle_count, v, c, d, (t - lag(t, 1, t) OVER w) / 7200 AS h,
         lag(c, 1, 0.0) OVER w AS c0, lag(d, 1, 0.0) OVER w AS d0,
         lag(v, 1, 0.0) OVER w AS v0
  FROM parts WINDOW w AS (ORDER BY t)
)
SELECT cycle_count, sum((c + c0) * h) AS up, sum((d + d0) * h) AS down,
       sum((c * v + c0 * v0) * h) AS up_wh, sum((d * v + d0 * v0) * h) AS down_wh,
       max(v) AS highest, min(v) AS lowest, count(*) AS rows
FROM steps GROUP BY cycle_count ORDER BY cycle_count
"""


# --- dQ/dV of one half-cycle: charge since its start (Ah) and voltage -> volt, Ah/V ---

Curve = tuple[np.ndarray, np.ndarray]


def navani_curve(charge: np.ndarray, volt: np.ndarray) -> Curve:
    """Default settings: 10,000 points and two Savitzky-Golay filters."""
    from navani.echem import dqdv_single_cycle

    x, y, _ = dqdv_single_cycle(charge, volt)
    return x, y


def navani_curve_short(charge: np.ndarray, volt: np.ndarray) -> Curve:
    """Last window of 101 instead of 1001 points: 14 mV instead of 140."""
    from navani.echem import dqdv_single_cycle

    x, y, _ = dqdv_single_cycle(charge, volt, window_size_2=101, polyorder_2=3)
    return x, y


def scripted_curve(charge: np.ndarray, volt: np.ndarray) -> Curve:
    """What many scripts do: sort, 1 mV grid, gradient, Savitzky-Golay of 21 mV."""
    from scipy.signal import savgol_filter

    x = np.arange(volt.min(), volt.max(), 1e-3)
    order = np.argsort(volt, kind="stable")
    y = np.gradient(np.interp(x, volt[order], charge[order]), 1e-3)
    return x, savgol_filter(y, 21, 3)


CURVES: dict[str, Callable[[np.ndarray, np.ndarray], Curve]] = {
    "navani": navani_curve,
    "navani, last window 14 mV": navani_curve_short,
    "numpy loop": scripted_curve,
}


# --- stores ---

FRESH_STORE = """
import sys
from equipoise.io.store import Store
print(Store(sys.argv[1]).sql(sys.argv[2]).height)
"""
FRESH_DUCKDB = """
import sys
import duckdb
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    print(len(connection.execute(sys.argv[2]).fetchnumpy()["cell_id"]))
"""
FRESH_SQLITE = """
import sys
import sqlite3
print(len(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))
"""

LIMIT_AH = data.END_OF_LIFE_RATIO * data.NOMINAL_AH
END_OF_LIFE = f"""
SELECT cell_id, min(cycle_count) AS end_of_life FROM cycles
WHERE discharging_capacity_ah < {LIMIT_AH} GROUP BY cell_id
"""


def duckdb_file(path: Path, table: pl.DataFrame) -> None:
    """One table of all cells, with the cell in each row."""
    import duckdb

    path.unlink(missing_ok=True)
    with duckdb.connect(str(path), config={"threads": THREADS}) as connection:
        arrays = {
            c.name: np.array(c.to_list(), dtype=object)
            if c.dtype == pl.String
            else c.to_numpy()
            for c in table
        }
        connection.register("arrays", arrays)
        connection.execute("CREATE TABLE cycles AS SELECT * FROM arrays")


def sqlite_file(path: Path, table: pl.DataFrame) -> None:
    """The same, inserted in one transaction, then indexed by cell."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    names = ", ".join(table.columns)
    marks = ", ".join("?" * table.width)
    with connection:
        connection.execute(f"CREATE TABLE cycles ({names})")
        connection.executemany(f"INSERT INTO cycles VALUES ({marks})", table.rows())
        connection.execute("CREATE INDEX of_cell ON cycles (cell_id)")
    connection.close()


def duckdb_series(
    table: pl.DataFrame, cells: int, path: Path, cycle: int
) -> list[Turn]:
    """DuckDB's answer, from a table of all cells made here."""
    import duckdb

    connection = duckdb.connect(str(path), config={"threads": THREADS})
    connection.register("arrays", {c.name: c.to_numpy() for c in table})
    copies = " UNION ALL ".join(
        f"SELECT {i} AS cell, * FROM arrays" for i in range(cells)
    )
    connection.execute(f"CREATE TABLE series AS {copies}")
    query = f"SELECT * FROM series WHERE cell = 1 AND cycle_count = {cycle}"
    return [
        Turn(
            "DuckDB",
            "one native table of all cells",
            1,
            lambda: connection.execute(query).fetchnumpy(),
        )
    ]


def pandas_folder(folder: Path) -> dict[str, int]:
    """End of life of all CSV files of a folder."""
    import pandas as pd

    found = {}
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path)
        below = frame[frame["discharging_capacity_ah"] < LIMIT_AH]
        if len(below):
            found[path.stem] = int(below["cycle_count"].min())
    return found


# --- contests ---


@dataclass(frozen=True, slots=True)
class Turn(Contestant):
    """A contestant that runs `most` times at most, of a `times`-th of the work."""

    most: int = 1000
    times: float = 1.0


def in_turn(turns: list[Turn], rounds: int) -> list[dict]:
    """Time all in turn, after a round that is thrown away (not of slow ones)."""
    spent: dict[str, tuple[list[float], list[float]]] = {
        t.name: ([], []) for t in turns
    }
    for i in range(-1, rounds):
        for turn in turns:
            wall, cpu = spent[turn.name]
            if len(wall) >= turn.most or (i < 0 and turn.most <= SLOW):
                continue
            gc.collect()
            w, p = time.perf_counter(), time.process_time()
            answer = turn.run()
            p, w = time.process_time() - p, time.perf_counter() - w
            del answer
            if i >= 0:
                wall.append(w / turn.calls * turn.times)
                cpu.append(p / turn.calls * turn.times)
        say(f"  round {i + 1} of {rounds}")
    return [row_of(t, *spent[t.name]) for t in turns]


def row_of(turn: Turn, wall: list[float], cpu: list[float]) -> dict:
    row = Row(turn.name, turn.what, len(wall), Timing.of(wall), Timing.of(cpu))
    return asdict(row) | {"times": turn.times}


def section(title: str, note: str, rows: list[dict], against: str = "") -> dict:
    """A table; `against` is the row to which the others are compared."""
    return {"title": title, "note": note, "rows": rows, "against": against}


def there(absent: dict[str, str], **turns: Turn) -> list[Turn]:
    """Those whose package is there; dashes of its name as underscores."""
    gone = {name.replace("-", "_") for name in absent}
    return [turn for name, turn in turns.items() if name not in gone]


def starting(processes: dict[str, tuple[str, list[str]]], rounds: int) -> list[dict]:
    """Whole processes, in turn, after a round that is thrown away."""
    spent: dict[str, tuple[list[float], list[float]]] = {k: ([], []) for k in processes}
    for i in range(-1, min(rounds, 7)):
        for name, (_, arguments) in processes.items():
            wall, cpu = process_seconds(arguments, cached=True)
            if i >= 0:
                spent[name][0].append(wall)
                spent[name][1].append(cpu)
        say(f"  processes, round {i + 1}")
    return [
        row_of(Turn(name, what, 1, len), *spent[name])
        for name, (what, _) in processes.items()
    ]


# --- memory ---

_PEAK = """
import sys
from pathlib import Path
import {module}
{before}
def kilobytes(what):  # of Linux; ru_maxrss would be that of the parent, if larger
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(what))
was = kilobytes("VmRSS")
table = {call}
print((kilobytes("VmHWM") - was) * 1024)
"""
PEAKS = {
    "equipoise read()": (
        "polars",
        "from equipoise.io.readers.read import read; read(sys.argv[2])",
        "read(sys.argv[1])",
    ),
    "polars": ("polars", "", "polars.read_csv(sys.argv[1])"),
    "pandas": ("pandas", "", "pandas.read_csv(sys.argv[1])"),
}


def memory(path: Path) -> dict:
    """Peak resident memory of reading, above what it was before, in bytes.

    Empty where the system does not tell.
    """
    small = path.with_name("small.bdf.csv")
    found = {}
    for name, (module, before, call) in PEAKS.items():
        code = _PEAK.format(module=module, before=before, call=call)
        command = [sys.executable, "-c", code, str(path), str(small)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found[name] = int(done.stdout)
    return {"title": "Peak memory", "file_bytes": path.stat().st_size, "bytes": found}
