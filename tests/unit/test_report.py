import json
import re
from dataclasses import fields
from pathlib import Path

import polars as pl
import pytest

from equipoise import __version__, load_cell, with_positive, write_design_report
from equipoise.core.errors import SpecError, StoreError
from equipoise.design.cell_design import CellDesign, design_cell
from equipoise.report.inline_svg import inline_svg
from equipoise.report.rows import SUMMARY, WEIGH, shown
from equipoise.report.wording import commands

NOT_SCALAR = {
    "name",
    "weigh",
    "reserves",
    "bands",
    "calibrated",
    "notes",
    "caveats",
}


@pytest.fixture(scope="module")
def cells():
    return [load_cell("zhang2026-lb"), load_cell("zhang2026-hb")]


@pytest.fixture(scope="module")
def written(cells, tmp_path_factory):
    said = []
    done = write_design_report(
        cells,
        tmp_path_factory.mktemp("report"),
        materials=[cells[0], with_positive(cells[0], "nca")],
        progress=said.append,
    )
    return done, done.report.read_text("utf-8"), said


def test_every_file_is_written_and_reported(written):
    done, _, said = written
    folder = done.report.parent
    names = {p.relative_to(folder).as_posix() for p in done.files}
    assert {
        "report.html",
        "design.json",
        "weigh_sheet.csv",
        "np_map_LB.csv",
        "np_map_LB.parquet",
        "np_voltage_map_HB.csv",
        "np_voltage_map_HB.parquet",
        "figures/half_cells.svg",
        "figures/half_cells.png",
        "figures/materials.svg",
        "figures/curve_lto.svg",
    } <= names
    on_disk = {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()
    }
    assert on_disk == names  # no temporary file is left
    assert "report.html" in said


def test_the_page_needs_nothing_but_itself(written):
    done, html, _ = written
    assert not re.search(r"<(script|link|iframe|img|object|embed)\b", html)
    targets = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert targets
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            assert (done.report.parent / target).is_file()
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html


def test_every_scalar_of_a_design_is_on_the_page(written, cells):
    _, html, _ = written
    printed = {k: form for group in SUMMARY.values() for k, (_, form) in group.items()}
    scalars = {f.name for f in fields(CellDesign)} - NOT_SCALAR
    assert set(printed) == scalars
    for cell in cells:
        design = design_cell(cell)
        for key, form in printed.items():
            assert f">{shown(getattr(design, key), form)}<" in html, key
        for key, (_, form) in WEIGH.items():
            assert f">{shown(getattr(design.weigh, key), form)}<" in html, key
        for caveat in cell.positive.material.caveats:
            assert caveat.split(":")[0][:40] in html


def test_bands_roles_and_limits_are_said(written):
    _, html, _ = written
    for part in (
        "201.7 to 214.4",
        '<span class="role calibrated">calibrated</span>',
        '<span class="role predicted">predicted</span>',
        '<span class="role input">input</span>',
        "Quasi-static",
        "45 °C",
        "equipoise design zhang2026-lb --out",
        f"equipoise {__version__}",
    ):
        assert part in html


def test_the_tables_read_back(written, cells):
    done, _, _ = written
    folder = done.report.parent
    saved = json.loads((folder / "design.json").read_text("utf-8"))
    assert saved["equipoise"] == __version__
    assert saved["cells"][0] == json.loads(json.dumps(design_cell(cells[0]).to_dict()))
    weigh = pl.read_csv(folder / "weigh_sheet.csv")
    assert weigh["cell"].to_list() == ["LB", "HB"]
    assert weigh["negative_active_mg"][0] == pytest.approx(9.10, abs=0.01)
    for stem, rows in (("np_map_LB", 12), ("np_voltage_map_LB", 3600)):
        table = pl.read_parquet(folder / f"{stem}.parquet")
        assert table.height == rows
        assert pl.read_csv(folder / f"{stem}.csv").columns == table.columns


def test_the_same_cell_gives_the_same_bytes(cells, tmp_path):
    first, second = (
        write_design_report(cells[:1], tmp_path / d, figures=False) for d in "ab"
    )
    for a, b in zip(first.files, second.files, strict=True):
        assert a.read_bytes() == b.read_bytes()
    html = first.report.read_text("utf-8")
    assert "<svg" not in html
    assert not (tmp_path / "a" / "figures").exists()


def test_names_are_escaped_and_never_leave_the_folder(cells, tmp_path):
    rude = cells[0].spec.model_copy(update={"name": '../<script>"&'})
    cell = type(cells[0])(
        rude, cells[0].positive, cells[0].negative, cells[0].separator_material
    )
    done = write_design_report([cell, cell], tmp_path / "out", figures=False)
    html = done.report.read_text("utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert all(p.parent == tmp_path / "out" for p in done.files)
    assert len({p.name.lower() for p in done.files}) == len(done.files)


def test_options_reach_the_map_and_the_command(cells, tmp_path):
    cell = cells[0].with_np_ratio(1.2).with_window(upper_volt=2.7)
    done = write_design_report(
        [cell], tmp_path, np_ratios=(1.1, 1.2), separator_um=30.0, figures=False
    )
    html = done.report.read_text("utf-8")
    assert pl.read_csv(tmp_path / "np_map_LB.csv")["np_ratio"].to_list() == [1.1, 1.2]
    assert "separator of 30 µm" in html
    assert "equipoise design zhang2026-lb --np 1.2 --upper-volt 2.7 --out" in html


def test_a_cell_without_a_file_has_no_command():
    assert commands([], (1.0,)) == []


def test_no_cell_is_an_error(tmp_path):
    with pytest.raises(SpecError, match="at least one cell"):
        write_design_report([], tmp_path)


def test_an_occupied_path_is_an_error(cells, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(StoreError, match="folder was expected"):
        write_design_report(cells, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_read_only_folder_is_an_error(cells):
    with pytest.raises(StoreError, match="cannot write"):
        write_design_report(cells, "/proc/equipoise")  # read-only for root, too


def test_a_cell_that_cannot_be_charged_leaves_no_report(cells, tmp_path):
    with pytest.raises(SpecError, match="never reaches"):
        write_design_report([cells[0].with_window(upper_volt=4.5)], tmp_path)
    assert not list(tmp_path.iterdir())


def test_inlined_drawings_keep_their_ids_and_texts_apart():
    svg = (
        '<?xml version="1.0"?><!DOCTYPE svg><svg width="9pt" height="8pt" '
        'viewBox="0 0 9 8"><metadata>http</metadata><defs><style type="text/css">'
        '*{}</style></defs><path id="p" d="M 1.23456 2.98765"/><use xlink:href="#p"/>'
        '<g clip-path="url(#p)"><text>UP 4.193 V</text></g></svg>'
    )
    assert inline_svg(svg, "f2") == (
        '<svg viewBox="0 0 9 8"><path id="f2-p" d="M 1.23 2.98"/>'
        '<use xlink:href="#f2-p"/><g clip-path="url(#f2-p)"><text>UP 4.193 V</text>'
        "</g></svg>"
    )
