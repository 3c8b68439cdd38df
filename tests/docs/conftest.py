"""A folder with the files that the pages talk about."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from pages import DOCS, ROOT, fences


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder holding the declared TOML files and a reader's measurement.

    Every ```toml block that begins with "# NAME.toml" becomes that file; the CSV
    files are the bundled NCM85 curve as a cycler would write it (mAh, vs In/InLi).
    """
    import equipoise as eqp
    from equipoise.spec import library

    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for fence in fences(page, "toml"):
            first = fence.text.splitlines()[0]
            if first.startswith("# ") and first.endswith(".toml"):
                (tmp_path / first[2:]).write_text(fence.text)
    recipe = library.text("cells", "zhang2026-lb")
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
    monkeypatch.chdir(tmp_path)
    return tmp_path
