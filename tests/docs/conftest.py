"""A folder with the files that the pages talk about."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from pages import DOCS, ROOT, fences


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder holding the declared TOML files and a reader's measurement.

    Every ```toml block that begins with "# NAME.toml" becomes that file; the
    measurements are the bundled NCM85 curve as a cycler would write it (CSV: mAh, BDF;
    both vs In/InLi) and as it is published (MATLAB: 0 to 1 between 17 and 227 mAh/g).
    """
    import equipoise as eqp

    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for fence in fences(page, "toml"):
            first = fence.text.splitlines()[0]
            if first.startswith("# ") and first.endswith(".toml"):
                (tmp_path / first[2:]).write_text(fence.text)
    recipe = eqp.bundled_text("zhang2026-lb")
    for name in ("my-cell.toml", "as-built.toml"):
        (tmp_path / name).write_text(recipe)
    curves = eqp.load_cell("zhang2026-lb").positive.half_cell
    for name, curve, ends in (
        ("charge.csv", curves.delithiation, (0.0, 227.0)),
        ("discharge.csv", curves.lithiation, (227.0, 27.0)),
    ):
        q = np.linspace(*ends, 400)
        rows = zip(np.abs(q - q[0]) * 5.41e-3, curve.potential(q) - 0.62, strict=True)
        with (tmp_path / name).open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["Q / mAh", "E / V"])
            writer.writerows([[float(a), float(b)] for a, b in rows])
    write_bdf(tmp_path / "cell12.bdf.csv", curves)
    write_mat(tmp_path, curves)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_bdf(path, curves):
    """One cycle at C/20 with 5.41 mg, both half-cycles in one table."""
    ampere, rows, start = 5.41e-3 * 0.190 / 20, [], 0.0
    for sign, curve, ends in (
        (1, curves.delithiation, (0.0, 227.0)),
        (-1, curves.lithiation, (227.0, 27.0)),
    ):
        q = np.linspace(*ends, 400)
        seconds = start + np.abs(q - q[0]) * 5.41e-6 / ampere * 3600.0
        volts = curve.potential(q) - 0.62
        rows += [
            (float(t), float(v), sign * ampere, 1)
            for t, v in zip(seconds, volts, strict=True)
        ]
        start = float(seconds[-1]) + 60.0
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["Test Time / s", "Voltage / V", "Current / A", "Cycle Count / 1"]
        )
        writer.writerows(rows)


def write_mat(folder, curves):
    """A struct per direction, both rising with the potential."""
    from scipy.io import savemat

    share = np.linspace(0.0, 1.0, 400)
    for name in ("delithiation", "lithiation"):
        volts = getattr(curves, name).potential(17.0 + 210.0 * share)
        content = {"normalizedCapacity": share, "voltage": volts}
        savemat(folder / f"{name}.mat", {"half_cell": content})
