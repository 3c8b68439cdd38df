import polars as pl
import pytest

from equipoise.analysis.check_ups import check_ups
from equipoise.core.errors import DataError


def table(kinds, capacities, amperes):
    return pl.DataFrame(
        {
            "cycle_count": range(1, len(kinds) + 1),
            "cycle_kind": kinds,
            "complete": [True] * len(kinds),
            "discharging_capacity_ah": capacities,
            "maximum_discharge_current_ampere": amperes,
        }
    )


def test_each_rate_has_its_own_hundred_percent():
    kinds = ["check-up", "check-up", "ageing", "check-up", "check-up"]
    found = check_ups(
        table(kinds, [2.0, 1.8, 1.0, 1.9, 1.62], [0.1, 2.0, 1.0, 0.101, 1.99])
    )
    assert found["cycle_count"].to_list() == [1, 4, 2, 5]
    assert found["rate_index"].to_list() == [0, 0, 1, 1]
    # 1.9 of 2.0 at the slow rate, 1.62 of 1.8 at the fast one
    assert found["capacity_retention"].to_list() == pytest.approx([1.0, 0.95, 1.0, 0.9])


def test_without_check_ups_it_says_which_kinds_there_are():
    with pytest.raises(DataError, match="check-up"):
        check_ups(table(["ageing"] * 3, [1.0] * 3, [1.0] * 3))


def test_check_ups_of_the_partial_depth_cell_fade_where_its_ageing_cycles_do_not():
    from equipoise.analysis.retention import retention
    from equipoise.study.measured_cell import load_cell_data
    from real_data import data_file

    cell = load_cell_data(data_file("cycling/rovi_p492-13-summary.csv"))
    slow = check_ups(cell.cycles).filter(pl.col("rate_index") == 0)
    # 20.89 of 21.74 mAh at C/20 after 260 cycles; the ageing cycles pass a fixed charge
    assert slow["capacity_retention"][-1] == pytest.approx(20.89 / 21.738, abs=5e-4)
    assert retention(cell.cycles)["capacity_retention"][-1] > 0.996
