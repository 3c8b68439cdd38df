"""The pages say what the package does: code runs, names and keys are all there."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import get_args

import numpy as np
import pytest
from pages import DOCS, PAGES, ROOT, commands, fences, name_of, prose
from pydantic import BaseModel
from typer.main import get_command
from typer.testing import CliRunner

import equipoise as eqp
from equipoise.analysis.kinds import KINDS
from equipoise.analysis.peaks import NCM_WINDOWS
from equipoise.cli.app import app
from equipoise.core.columns import COLUMNS
from equipoise.core.units import UNITS
from equipoise.design.cell_design import CellDesign
from equipoise.spec import library
from equipoise.spec.cell import CellSpec
from equipoise.spec.cell_record import CellRecord
from equipoise.spec.curve_file import CurveFile
from equipoise.spec.half_cell_spec import HalfCellSpec

WITH_PYTHON = [p for p in PAGES if fences(p, "python")]
WITH_COMMANDS = [p for p in PAGES if commands(p)]
WITH_OUTPUT = [
    p for p in PAGES if any("│" in fence.text for fence in fences(p, "text"))
]
REFERENCE = DOCS / "reference"


def page_text(path):
    return path.read_text("utf-8")


# --- what is shown runs


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_python_blocks_run_in_order(page):
    namespace = {"__name__": "page"}
    for fence in fences(page, "python"):
        source = "\n" * (fence.line - 1) + fence.text
        exec(compile(source, name_of(page), "exec"), namespace)


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_commands_run(page, workplace):
    """All but `demo`, which writes a whole report and has tests of its own."""
    for line in commands(page):
        line, _, target = line.partition(">")
        arguments = shlex.split(line)[1:]
        if arguments[0] == "demo":
            continue
        if "--out" in arguments and arguments[0] == "design":
            arguments.append("--no-figures")
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None, (line, result.exception)
        assert result.stdout.strip(), line
        if target:
            (workplace / target.strip()).write_text(result.stdout)
            tomllib.loads(result.stdout)


@pytest.fixture(scope="module")
def printed():
    """What `equipoise design` prints for the LB cell, as a set of rows."""
    result = CliRunner().invoke(app, ["design", "zhang2026-lb"])
    return {_cells(line) for line in result.stdout.splitlines()}


def _cells(line):
    return tuple(c.strip() for c in re.split("[│┃]", line.strip()))


@pytest.mark.parametrize("page", WITH_OUTPUT, ids=name_of)
def test_shown_output_is_what_is_printed(page, printed):
    for fence in fences(page, "text"):
        for line in fence.text.splitlines():
            if "│" in line:
                assert _cells(line.replace("┃", "│")) in printed, line


@pytest.mark.parametrize("cell", ["LB", "HB"])
def test_changelog_numbers_are_computed(cell):
    d = eqp.design_cell(eqp.load_cell(f"zhang2026-{cell.lower()}"))
    column = 2 if cell == "LB" else 3
    rows = {
        cells[0]: cells[column]
        for line in page_text(ROOT / "CHANGELOG.md").splitlines()
        if len(cells := [c.strip() for c in line.strip("| ").split("|")]) == 5
    }
    five = d.reserves[1]
    low, high = (
        100 * five.tolerated_loss_low_fraction,
        100 * five.tolerated_loss_high_fraction,
    )
    shown = {
        "negative composite": f"{d.weigh.negative_composite_mg:.2f}",
        "first charge": f"{d.first_charge_mah_per_g_positive:.2f}",
        "first discharge": f"{d.first_discharge_mah_per_g_positive:.2f}",
        "upper potential": f"{d.upper_potential_vs_li_volt:.4f}",
        "negative, end of charge": (
            f"{d.negative_end_of_charge_potential_vs_li_volt:.4f}"
        ),
        "volume change (variant B)": f"{d.volume_change_percent:.2f}",
        "charge above the H2-H3 onset": f"{d.h2h3_usage_mah_per_g_positive:.1f}",
        "compensation fraction": f"{d.compensation_fraction:.3f}",
        "mean discharge voltage": f"{d.mean_discharge_volt:.3f}",
        "energy per positive": f"{d.energy_wh_per_kg_positive:.0f}",
        "stack energy, pellet / 30 µm separator": (
            f"{d.energy_wh_per_kg_stack:.1f} / {d.energy_wh_per_kg_thin_stack:.1f}"
        ),
    }
    assert {k: rows[k] for k in shown} == shown
    assert rows["loss tolerated for 5 % less charge"] == (
        f"{100 * five.tolerated_loss_fraction:.1f} ({low:.1f}-{high:.1f})"
    )


def rows_of(page, first_header):
    """Cells of the table whose first header is given, without header and rule."""
    lines = iter(page_text(page).splitlines())
    for line in lines:
        if line.startswith(f"| {first_header} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([c.strip() for c in line.strip("|").split("|")])
    assert rows, f"no table {first_header!r} in {name_of(page)}"
    return rows


def test_numbers_of_the_map_howto(lb):
    rows = rows_of(DOCS / "howto/read-the-map.md", "n/p")
    ratios = [float(r[0]) for r in rows]
    pellet = eqp.np_map(lb, ratios).to_dicts()
    thin = eqp.np_map(lb, ratios, separator_um=30).to_dicts()
    for shown, a, b in zip(rows, pellet, thin, strict=True):
        assert shown[1:] == [
            f"{a['first_charge_mah_per_g_positive']:.1f}",
            f"{a['upper_potential_vs_li_volt']:.4f}",
            f"{a['compensation_fraction']:.2f}",
            f"{a['h2h3_usage_mah_per_g_positive']:.1f}",
            f"{a['volume_change_high_percent']:.2f}, "
            f"{a['volume_change_low_percent']:.2f}",
            f"{a['energy_wh_per_kg_stack']:.1f}",
            f"{b['energy_wh_per_kg_stack']:.1f}",
        ]


def test_numbers_of_the_reserve_in_the_theory(lb, hb):
    rows = rows_of(DOCS / "theory/balancing.md", "loss of active positive")
    charged = eqp.design_cell(lb).first_charge_mah_per_g_positive
    cases = ((lb, 0.0), (lb, 27.0), (lb, charged), (hb, 0.0))
    for shown in rows:
        loss = float(shown[0].removesuffix(" %")) / 100
        for (cell, at), text in zip(cases, shown[1:], strict=True):
            table = eqp.compensation_by_loss(cell, loss, isolated_at_mah_per_g=at)
            row = table.row(0, named=True)
            charge, discharge = (
                row[f"{what}_change_percent"] for what in ("charge", "discharge")
            )
            assert f"{charge:.2f}, {discharge:.2f}" == text


def test_bands_of_the_theory(lb):
    design = eqp.design_cell(lb)
    five = design.reserves[1]
    bands = [
        design.band("first_charge_mah_per_g_positive"),
        design.band("first_discharge_mah_per_g_positive"),
        design.band("h2h3_usage_mah_per_g_positive"),
        design.band("volume_change_percent"),
        (
            100 * five.tolerated_loss_low_fraction,
            100 * five.tolerated_loss_high_fraction,
        ),
    ]
    rows = rows_of(DOCS / "theory/balancing.md", "output")
    for (_, _, shown), (low, high) in zip(rows, bands, strict=True):
        digits = 2 if low < 0 else 1
        assert shown.startswith(f"{low:.{digits}f} to {high:.{digits}f} "), shown
    followed = {b.quantity for b in design.bands}
    text = page_text(REFERENCE / "python-api.md").split("Outputs with a band:")[1]
    assert set(re.findall(r"`(\w+)`", text.split("\n")[0])) == followed


def test_first_discharges_on_every_page(lb, hb):
    """The lock moves them: no page keeps an older number."""
    found = [
        f"{eqp.design_cell(c).first_discharge_mah_per_g_positive:.1f}" for c in (lb, hb)
    ]
    for page in ("README.md", "docs/theory/balancing.md"):
        for text in found:
            assert text in page_text(ROOT / page), page
    setup = eqp.load_half_cell_setup("zhang2026-ncm85-inli")
    half = eqp.design_half_cell(setup)
    efficiency = 100 * half.first_discharge_mah_per_g / half.first_charge_mah_per_g
    for page in ("README.md", "CHANGELOG.md", "docs/theory/balancing.md"):
        assert f"{efficiency:.1f} %" in page_text(ROOT / page), page


def test_h2h3_peak_of_chen2020_is_where_the_pages_say(lb):
    curve = eqp.with_positive(lb, "nmc811").positive.half_cell.delithiation
    q = np.linspace(curve.start_mah_per_g, curve.stop_mah_per_g, 20001)
    u, dqdv = curve.potential(q), 1.0 / curve.slope(q)
    peak = np.argmax(np.where(u > 4.12, dqdv, 0.0))
    valley = np.argmin(np.where((u > 4.03) & (u < u[peak]), dqdv, np.inf))
    text = page_text(REFERENCE / "materials.md")
    assert f"{dqdv[peak]:.0f} mAh/g/V at {u[peak]:.3f} V" in text
    assert u[valley] == pytest.approx(4.115, abs=0.001)
    assert "near 4.115 V" in text


def test_numbers_of_the_material_comparison(lb):
    for name, *shown in rows_of(DOCS / "howto/compare-materials.md", "positive"):
        d = eqp.design_cell(eqp.with_positive(lb, name))
        assert shown == [
            f"{d.first_charge_mah_per_g_positive:.1f}",
            f"{d.upper_potential_vs_li_volt:.3f}",
            f"{d.compensation_fraction:.2f}",
            f"{d.weigh.negative_composite_mg:.2f}",
        ]


def test_numbers_of_the_weighing_errors(lb):
    rows = rows_of(DOCS / "howto/weighing-errors.md", "error of 1 % in")
    table = eqp.tolerance(lb).to_dicts()
    for (_, np_change, charge, upper), row in zip(rows, table, strict=True):
        sign, digits = ("+", (3, 2, 1)) if row["error_percent"] else ("", (3, 1, 1))
        assert np_change == f"{row['np_change_ratio']:{sign}.{digits[0]}f}"
        assert charge == (
            f"{row['charge_change_mah_per_g_positive']:{sign}.{digits[1]}f}"
        )
        assert upper == (
            f"{row['upper_potential_change_millivolt']:{sign}.{digits[2]}f}"
        )


# --- what exists is described


def test_every_command_and_option_is_described():
    text = page_text(REFERENCE / "commands.md")
    for name, command in get_command(app).commands.items():
        section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert_options_are_in(section, name, command)
        for sub, inner in getattr(command, "commands", {}).items():
            part = section.split(f"\n### {name} {sub}\n")[1].split("\n### ")[0]
            assert_options_are_in(part, f"{name} {sub}", inner)
        assert fences_in(section, "python"), f"{name}: no Python equivalent"


def assert_options_are_in(section, name, command):
    for parameter in command.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            shown = option if option.startswith("-") else option.upper()
            if shown not in ("-h", "--help"):
                assert f"`{shown}`" in section, (name, shown)


def fences_in(section, language):
    return re.findall(rf"^```{language}$", section, re.MULTILINE)


def test_every_public_name_is_described():
    text = page_text(REFERENCE / "python-api.md")
    missing = [n for n in eqp.__all__ if not re.search(rf"`{n}[`(]", text)]
    assert missing == []


def test_every_field_of_a_design_is_described():
    text = page_text(REFERENCE / "python-api.md")
    missing = [f for f in CellDesign.__dataclass_fields__ if f"`{f}`" not in text]
    assert missing == []


def keys(model):
    """All keys of a specification, nested ones too."""
    for name, field in model.model_fields.items():
        yield name
        for nested in _models(field.annotation):
            yield from keys(nested)


def _models(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


@pytest.mark.parametrize(
    ("model", "pages"),
    [
        (CellSpec, ("cell-file.md", "curve-file.md")),
        (HalfCellSpec, ("cell-file.md", "curve-file.md")),
        (CurveFile, ("curve-file.md",)),
        (CellRecord, ("cell-record.md",)),
    ],
)
def test_every_key_is_described(model, pages):
    text = "".join(page_text(REFERENCE / p) for p in pages)
    known = set(re.findall(r"`\[*([\w.]+)\]*`", text))
    known |= {k.split(".")[-1] for k in known}
    assert sorted(set(keys(model)) - known) == []


@pytest.mark.parametrize("section", ["cell-file.md", "curve-file.md"])
def test_no_described_key_is_made_up(section):
    real = {*keys(CellSpec), *keys(HalfCellSpec), *keys(CurveFile)}
    for line in page_text(REFERENCE / section).splitlines():
        first = re.match(r"\| `([\w.]+)` \|", line)
        if first:
            assert first[1].split(".")[-1] in real, line


def test_every_bundled_material_and_cell_is_described():
    text = page_text(REFERENCE / "materials.md")
    for kind in ("materials", "cells", "half_cells"):
        for name in library.names(kind):
            assert f"`{name}`" in text


def test_the_page_of_columns_is_the_registry():
    shown = [row[:4] for row in rows_of(REFERENCE / "columns.md", "name")]
    assert shown == [
        [
            f"`{c.name}`",
            ", ".join(f"`{label}`" for label in (c.label, *c.older_labels)),
            c.unit or "-",
            c.level,
        ]
        for c in COLUMNS.values()
    ]
    meanings = [row[4] for row in rows_of(REFERENCE / "columns.md", "name")]
    for column, meaning in zip(COLUMNS.values(), meanings, strict=True):
        assert meaning.startswith(column.meaning), column.name


def test_every_column_of_a_cycle_table_is_defined(lb):
    run = eqp.simulate(lb, eqp.load_protocol("first-cycle"))
    cycles = eqp.cycle_summary(run.trace, record=eqp.record_of(run))
    page = page_text(REFERENCE / "definitions.md")
    assert [c for c in cycles.columns if f"`{c}`" not in page] == []


def test_kinds_of_cycles_and_windows_are_those_of_the_code():
    page = REFERENCE / "definitions.md"
    assert [row[0].strip("`") for row in rows_of(page, "kind")] == list(KINDS)
    shown = [row[:2] for row in rows_of(page, "window")]
    assert shown == [
        [w.name, f"{w.low_volt:.2f} to {w.high_volt:.2f}"] for w in NCM_WINDOWS
    ]


def test_no_key_of_a_cell_record_is_made_up():
    shown = rows_of(REFERENCE / "cell-record.md", "key")
    named = {name for row in shown for name in re.findall(r"`(\w+)`", row[0])}
    assert named == set(CellRecord.model_fields)


def test_described_units_exist():
    text = page_text(REFERENCE / "units-and-names.md").split("## Conventions")[0]
    rows = "".join(x for x in text.splitlines() if x.startswith("|"))
    assert set(re.findall(r"`(\w+)`", rows)) <= set(UNITS)


# --- pages hold together


def bib_keys():
    return set(
        re.findall(r"^@\w+\{(\w+),", page_text(DOCS / "references.bib"), re.MULTILINE)
    )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_citation_keys_exist(page):
    used = set(re.findall(r"\b([a-z]+(?:19|20)\d\d)\b(?!-)", page_text(page)))
    assert used <= bib_keys()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_resolve(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{target} in {name_of(page)}"
        if anchor:
            assert anchor in anchors(linked), f"{target} in {name_of(page)}"


def anchors(page):
    """Heading anchors as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_absolute_paths_or_hosts(page):
    text = page_text(page)
    assert not re.search(r"(?<![\w.])/(work|home|root|tmp|Users|mnt)\b", text)
    assert not re.search(r"localhost|\b(10|127|172|192)(\.\d{1,3}){3}\b", text)
    assert set(re.findall(r"https?://([^/\s)]+)", text)) <= {"keepachangelog.com"}


def test_every_page_is_in_the_index():
    index = page_text(DOCS / "README.md")
    linked = {
        (DOCS / t.split("#")[0]).resolve() for t in re.findall(r"\]\(([^)]+)\)", index)
    }
    pages = {p for p in DOCS.rglob("*.md") if p.name != "README.md"}
    assert {name_of(p) for p in pages - linked} == set()
