"""Two groups of cells against each other."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from equipoise.cli.output import finite
from equipoise.core.errors import DataError, EquipoiseError, SpecError, StoreError
from equipoise.io.store.store import Store
from equipoise.spec.cell_record import CellRecord
from equipoise.study.campaign import import_of
from equipoise.study.comparison import cells_of, cells_of_group, compare
from equipoise.study.measured_cell import load_cell_data

PER_CELL = "discharging_capacity_ah"
PER_GRAM = "discharging_capacity_mah_per_g_positive"


@pytest.fixture
def cell(tmp_path):
    """A cell that begins with `start` Ah and loses `fade` of it in each cycle."""

    def make(start, fade=0.01, count=30, name=None, first=1, **record):
        name = name or f"c{start}"
        rows = [
            f"{first + i},{q / 0.999!r},{q!r},-1,1\n"
            for i, q in enumerate((start * (1 - fade * np.arange(count))).tolist())
        ]
        path = tmp_path / f"{name}.csv"
        path.write_text("Cycle_Index,Q_chg,Q_dis,I_min,I_max\n" + "".join(rows))
        return load_cell_data(path, record=CellRecord(name=name, **record))

    return make


def test_difference_and_interval_are_those_of_welch(cell):
    a, b = [cell(2.0), cell(2.2)], [cell(1.0), cell(1.1), cell(1.3)]
    found = compare(a, b, name_a="LB", name_b="HB")
    assert found.quantity == PER_CELL
    assert found.cells_a == ("c2.0", "c2.2")
    row = found.differences.to_dicts()[0]
    assert row[f"difference_{PER_CELL}"] == pytest.approx(2.1 - 3.4 / 3)
    true = stats.ttest_ind([2.0, 2.2], [1.0, 1.1, 1.3], equal_var=False)
    low, high = true.confidence_interval(0.95)
    assert row[f"low_difference_{PER_CELL}"] == pytest.approx(low)
    assert row[f"high_difference_{PER_CELL}"] == pytest.approx(high)
    assert row["degrees_of_freedom_count"] == pytest.approx(true.df)
    mean = found.means[1].to_dicts()[0]
    assert mean[f"mean_{PER_CELL}"] == pytest.approx(3.4 / 3)
    assert mean[f"standard_deviation_{PER_CELL}"] == pytest.approx(
        np.std([1.0, 1.1, 1.3], ddof=1)
    )
    assert mean["cells_count"] == 3


def test_one_cell_has_no_interval_and_says_so(cell):
    found = compare([cell(2.0)], [cell(1.0)])
    assert found.differences[f"low_difference_{PER_CELL}"].is_nan().all()
    assert found.differences[f"high_difference_{PER_CELL}"].is_nan().all()
    assert "no interval" in found.differences["basis"][0]
    assert found.means[0][f"standard_deviation_{PER_CELL}"].is_nan().all()


def test_lives_are_compared_by_their_ratio(cell):
    a = [cell(2.0, 0.01), cell(2.1, 0.01)]
    b = [cell(1.0, 0.02), cell(1.1, 0.02)]
    found = compare(a, b)
    ours = [[x.life_cycle_count for x in group] for group in found.lives]
    assert ours[0] == pytest.approx([20.0, 20.0])
    assert ours[1] == pytest.approx([10.0, 10.0])
    assert found.life.life_ratio == pytest.approx(2.0)
    assert found.life.apart
    assert found.life.chance_of_apart_fraction == pytest.approx(1 / 3)
    kept = found.retention_differences
    at_five = kept.row(5, named=True)["difference_capacity_retention"]
    assert at_five == pytest.approx(0.95 - 0.9)
    later = compare(a, b, threshold_retention=0.9)
    assert later.lives[0][0].life_cycle_count == pytest.approx(10.0)


def test_a_censored_life_bounds_the_ratio(cell):
    found = compare([cell(2.0, 0.001)], [cell(1.0, 0.02)])
    assert math.isnan(found.life.life_ratio)
    assert found.life.least_life_ratio == pytest.approx(29 / 10)
    assert math.isinf(found.life.greatest_life_ratio)


def test_cycles_are_aligned_at_their_references(cell):
    found = compare([cell(2.0, first=1)], [cell(1.0, first=101)], at=[0, 7])
    assert found.differences["ageing_cycle_count"].to_list() == [0, 7]
    assert found.differences[f"difference_{PER_CELL}"].to_list() == pytest.approx(
        [1.0, 0.93]
    )
    with pytest.raises(DataError):
        compare([cell(2.0)], [cell(1.0, first=101)], align="cycle_count")


def test_per_gram_only_if_every_mass_is_known(cell):
    a, b = cell(2.0, positive_active_mass_mg=1e4), cell(1.0)
    assert compare([a], [b]).quantity == PER_CELL
    b = cell(1.0, positive_active_mass_mg=5e3, name="b")
    found = compare([a], [b])
    assert found.quantity == PER_GRAM
    first = found.differences[f"difference_{PER_GRAM}"][0]
    assert first == pytest.approx(200.0 - 200.0)


def test_without_ageing_cycles_all_complete_ones_are_compared(cell, tmp_path):
    path = tmp_path / "first.csv"
    path.write_text("Cycle_Index,Q_chg,Q_dis\n1,1.2,1.0\n")
    first = load_cell_data(path)
    assert first.cycles["cycle_kind"].to_list() == ["formation"]
    found = compare([cell(2.0)], [first])
    assert found.lives is None
    assert found.life is None
    assert found.retention_differences is None
    assert "ageing cycles in every cell" in found.reasons
    assert found.differences.columns[0] == "cycle_count"
    assert found.differences["cycle_count"].to_list() == [1]


def test_the_same_data_twice_are_no_replicates(cell, tmp_path):
    one = cell(2.0)
    copy = tmp_path / "copy.csv"
    shutil.copy(tmp_path / "c2.0.csv", copy)
    twin = load_cell_data(copy)
    for a, b in (([one], [twin]), ([one, twin], [cell(1.0)])):
        with pytest.raises(DataError, match="same data are there 2 times") as caught:
            compare(a, b)
        assert "copy.csv" in str(caught.value)


def test_cells_of_one_name_stay_apart(cell):
    a = [cell(2.0, name="x")]
    other = cell(2.2, name="y")

    a += [replace(other, name="x"), replace(cell(2.4, name="z"), name="x")]
    found = compare(a, [cell(1.0)])
    assert found.cells_a == ("x", "x (2)", "x (3)")
    assert found.means[0]["cells_count"][0] == 3


@pytest.mark.parametrize("empty", [0, 1])
def test_an_empty_group_is_named(cell, empty):
    groups = [[cell(2.0)], [cell(1.0)]]
    groups[empty] = []
    with pytest.raises(DataError, match=f"group {'LH'[empty]}B has no cell"):
        compare(*groups, name_a="LB", name_b="HB")


@pytest.mark.parametrize(
    "wrong", [{"at": [999]}, {"threshold_retention": 2.0}, {"align": "time"}]
)
def test_what_cannot_be_is_refused(cell, wrong):
    with pytest.raises((DataError, SpecError)):
        compare([cell(2.0)], [cell(1.0)], **wrong)


def test_the_dictionary_is_fit_for_json(cell):
    found = compare([cell(2.0)], [cell(1.0)], at=[0, 1])
    content = json.loads(json.dumps(finite(found.as_dict()), allow_nan=False))
    assert content["a"] == {"name": "A", "cells": ["c2.0"]}
    assert set(content["means"]) == set(content["lives"]) == {"a", "b"}
    assert content["differences"][0][f"low_difference_{PER_CELL}"] is None


# --- which files


def test_files_of_a_folder_without_figures_and_records(tmp_path):
    for name in ("b.csv", "a.mpr", "a.cell.toml", "f.png", ".hidden", "x.json"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    seen = cells_of(str(tmp_path), lambda f: f.name)
    assert seen == ["a.mpr", "b.csv"]


def test_an_empty_folder_is_said(tmp_path):
    (tmp_path / "x.toml").touch()
    with pytest.raises(DataError, match="no data file"):
        cells_of(str(tmp_path), lambda f: f)


def test_several_files_have_commas_between(tmp_path):
    assert cells_of("a.csv, b.csv,", str) == ["a.csv", "b.csv"]
    comma = tmp_path / "LB, 45 C.csv"
    comma.touch()
    assert cells_of(str(comma), lambda f: f.name) == ["LB, 45 C.csv"]


def test_groups_and_cells_of_a_store(cell, tmp_path):
    store = Store(tmp_path / "s", create=True)
    store.add_many(
        [
            import_of(cell(2.0, group="LB")),
            import_of(cell(2.2, group="LB")),
            import_of(cell(1.0)),
        ]
    )
    lb = cells_of_group(store, "LB")
    assert sorted(d.name for d in lb) == ["c2.0", "c2.2"]
    (single,) = cells_of_group(store, "c1.0")
    found = compare(lb, [single])
    assert found.differences[f"difference_{PER_CELL}"][0] == pytest.approx(1.1)
    with pytest.raises(StoreError, match="no group or cell 'HB'; groups: LB"):
        cells_of_group(store, "HB")
    with pytest.raises(EquipoiseError, match="same data"):
        compare(lb, cells_of_group(store, "c2.0"))
