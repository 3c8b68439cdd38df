"""The machine-readable files beside a report."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import polars as pl

from equipoise import __version__
from equipoise.core.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from equipoise.report.answers import Answer


CSV_DECIMALS = 6
"""A microvolt; the Parquet file keeps every digit."""


def write_tables(answers: Sequence[Answer], folder: Path) -> list[Path]:
    """Write designs, weigh sheets and maps; return the files in order."""
    designs = {
        "equipoise": __version__,
        "cells": [_finite(a.design.to_dict()) for a in answers],
    }
    files = [
        write_atomic(
            folder / "design.json",
            json.dumps(designs, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        ),
        write_atomic(folder / "weigh_sheet.csv", weigh_table(answers).write_csv()),
    ]
    for a in answers:
        files += _both(a.map, folder, f"np_map_{a.stem}")
        files += _both(a.voltage_map, folder, f"np_voltage_map_{a.stem}")
    return files


def _finite(value: object) -> object:
    """Replace NaN and infinities by None at any depth: JSON has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value


def weigh_table(answers: Sequence[Answer]) -> pl.DataFrame:
    """One row per cell, every column with its unit."""
    return pl.DataFrame(
        [
            {"cell": a.label, "np_ratio": a.design.np_ratio} | asdict(a.design.weigh)
            for a in answers
        ],
        infer_schema_length=None,
    )


def _both(table: pl.DataFrame, folder: Path, stem: str) -> list[Path]:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    text = table.write_csv(float_precision=CSV_DECIMALS)
    return [
        write_atomic(folder / f"{stem}.csv", text),
        write_atomic(folder / f"{stem}.parquet", buffer.getvalue()),
    ]
