"""Kinds of cycles: a public ageing test, and protocols as they are run."""

from time import perf_counter

import numpy as np
import polars as pl
import pytest

from equipoise import DataError
from equipoise.analysis.classify import classify
from equipoise.analysis.kinds import KINDS, kind_of_label, like_cycles


def cycles_of(*blocks, capacity_ah=1.0, bare=False):
    """A cycle table of (number of cycles, C-rate of charge[, of discharge])."""
    rows = []
    for number, *rates in blocks:
        charge, discharge = rates * 2 if len(rates) == 1 else rates
        rows += [(charge, discharge)] * number
    n = len(rows)
    charge, discharge = np.array(rows, dtype=float).T
    passed = np.array([np.full(n, capacity_ah), np.full(n, 0.999 * capacity_ah)])
    hours = 1 / charge + 1 / discharge + 0.5
    end = 3600.0 * np.cumsum(hours)
    table = pl.DataFrame(
        {
            "cycle_count": np.arange(1, n + 1),
            "charging_capacity_ah": passed[0],
            "discharging_capacity_ah": passed[1],
        }
    )
    if bare:
        return table
    return table.with_columns(
        start_time_second=end - 3600.0 * hours,
        end_time_second=end,
        end_of_charge_voltage_volt=np.full(n, 4.2),
        end_of_discharge_voltage_volt=np.full(n, 3.0),
        maximum_charge_current_ampere=charge * capacity_ah,
        maximum_discharge_current_ampere=discharge * capacity_ah,
        half_cycles_count=np.full(n, 2),
        eis_rows_count=np.zeros(n, dtype=np.int64),
    )


def change(table, row, **values):
    """The table with other values in one row."""
    at = pl.int_range(table.height) == row
    return table.with_columns(
        **{
            k: pl.when(at).then(pl.lit(v)).otherwise(pl.col(k))
            for k, v in values.items()
        }
    )


def runs(table):
    """Kinds with the number of cycles in a row."""
    found = []
    for kind in table["cycle_kind"]:
        if found and found[-1][0] == kind:
            found[-1][1] += 1
        else:
            found.append([kind, 1])
    return [tuple(f) for f in found]


PROTOCOLS = {
    "all alike": ([(100, 1)], [("ageing", 100)]),
    "a lone cycle": ([(1, 0.2)], [("ageing", 1)]),
    "formation, then ageing": (
        [(3, 0.1), (200, 1)],
        [("formation", 3), ("ageing", 200)],
    ),
    "formation at two rates": (
        [(2, 0.1), (2, 0.2), (200, 1)],
        [("formation", 4), ("ageing", 200)],
    ),
    "charged slowly, discharged fast": (
        [(2, 0.1), (50, 0.5, 1)],
        [("formation", 2), ("ageing", 50)],
    ),
    # zhang2026: rate block from the formation rate on, back to 0.2C, then 1C
    "the paper": (
        [(5, 0.1), (3, 0.2), (3, 0.5), (3, 1), (3, 2), (3, 0.2), (300, 1)],
        [("formation", 2), ("rate step", 18), ("ageing", 300)],
    ),
    "the paper, formation at its own rate": (
        [(2, 0.05), (5, 0.1), (5, 0.2), (5, 0.5), (5, 1), (5, 0.2), (300, 1)],
        [("formation", 2), ("rate step", 25), ("ageing", 300)],
    ),
    "rate test with a return": (
        [(3, 0.2), (5, 0.5), (5, 1), (5, 2), (5, 5), (1, 0.2)],
        [("rate step", 24)],
    ),
    "rate test with a long return": (
        [(3, 0.2), (3, 0.5), (3, 1), (5, 0.2)],
        [("rate step", 14)],
    ),
    "rate test, then a few cycles at its first rate": (
        [(3, 0.2), (3, 0.5), (3, 1), (8, 0.2)],
        [("rate step", 9), ("ageing", 8)],
    ),
    "rate test, discharge rates only": (
        [(3, 0.2), (3, 0.2, 0.5), (3, 0.2, 1), (3, 0.2, 2), (5, 0.2)],
        [("rate step", 17)],
    ),
    "two rounds": ([(5, 0.1), (5, 0.5), (5, 2)] * 2, [("rate step", 30)]),
    "rate test within ageing": (
        [(100, 1), (3, 0.2), (3, 0.5), (3, 2), (100, 1)],
        [("ageing", 100), ("rate step", 9), ("ageing", 100)],
    ),
    "check-ups": (
        [(2, 0.2), (50, 1), (1, 0.05), (50, 1), (1, 0.05), (50, 1)],
        [("formation", 2), ("ageing", 50)] + [("check-up", 1), ("ageing", 50)] * 2,
    ),
    "check-ups from the beginning": (
        [(1, 0.05), (50, 1), (1, 0.05), (50, 1), (1, 0.05)],
        [("check-up", 1), ("ageing", 50)] * 2 + [("check-up", 1)],
    ),
    "formation at the rate of check-ups": (
        [(3, 0.1), (50, 1), (1, 0.1), (50, 1)],
        [("formation", 3), ("ageing", 50), ("check-up", 1), ("ageing", 50)],
    ),
    "check-ups at three rates": (
        [(1, 0.05), (1, 0.3), (1, 2), (30, 1)] * 3,
        [("check-up", 3), ("ageing", 30)] * 3,
    ),
    "check-ups, short runs": (
        [(10, 1), (1, 0.1)] * 6,
        [("ageing", 10), ("check-up", 1)] * 6,
    ),
    "check-ups at changing rates, short runs": (
        [(10, 1), (1, 0.1), (10, 1), (1, 0.3), (10, 1)],
        [*[("ageing", 10), ("check-up", 1)] * 2, ("ageing", 10)],
    ),
    "as many cycles of formation as of ageing so far": (
        [(4, 0.1), (4, 1)],
        [("formation", 4), ("ageing", 4)],
    ),
    "slow cycles after the rate block": (
        [(3, 0.2), (3, 0.5), (3, 2), (20, 0.1), (100, 1)],
        [("rate step", 9), ("other", 20), ("ageing", 100)],
    ),
    "a second ageing": (
        [(100, 1), (60, 2)],
        [("ageing", 100), ("other", 60)],
    ),
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_gets_its_kinds(name):
    blocks, expected = PROTOCOLS[name]
    found = classify(cycles_of(*blocks))
    assert runs(found) == expected
    assert set(found["cycle_kind_evidence"]) == {"inferred"}
    assert found["complete"].all()
    assert set(found["cycle_kind"]) <= set(KINDS)


def test_currents_that_drift_stay_in_one_group():
    table = cycles_of((200, 1)).with_columns(
        maximum_charge_current_ampere=np.linspace(1.0, 0.5, 200)
    )
    assert runs(classify(table)) == [("ageing", 200)]


def test_a_first_cycle_that_loses_much_is_formation_even_at_the_rate_of_check_ups():
    table = cycles_of((1, 0.1), (50, 1), (1, 0.1), (50, 1))
    assert runs(classify(table))[0] == ("check-up", 1)
    lossy = change(table, 0, discharging_capacity_ah=0.8)
    assert runs(classify(lossy))[0] == ("formation", 1)
    # more than half is lost: unlike charge and discharge, but still a first cycle
    lossy = classify(change(table, 0, discharging_capacity_ah=0.4))
    assert runs(lossy)[0] == ("formation", 1)
    assert not lossy["complete"][0]
    alone = change(cycles_of((1, 0.2)), 0, discharging_capacity_ah=0.8)
    assert runs(classify(alone)) == [("formation", 1)]


def test_one_direction_or_unlike_directions_are_incomplete():
    table = cycles_of((20, 1))
    nan = float("nan")
    for values in (
        {"discharging_capacity_ah": nan},
        {"charging_capacity_ah": nan},
        {"charging_capacity_ah": 0.0},
        {"discharging_capacity_ah": 0.45},
        {"charging_capacity_ah": 0.45},
    ):
        found = classify(change(table, 7, **values))
        assert runs(found) == [("ageing", 7), ("incomplete", 1), ("ageing", 12)]
        assert found["complete"].to_list() == [i != 7 for i in range(20)]
    found = classify(change(table, 7, discharging_capacity_ah=0.55))
    assert runs(found) == [("ageing", 20)]


def test_no_charge_is_rest_or_impedance():
    table = cycles_of((10, 1))
    for nothing in (0.0, float("nan"), None, 1e-9):
        still = change(
            table, 4, charging_capacity_ah=nothing, discharging_capacity_ah=nothing
        )
        assert classify(still)["cycle_kind"][4] == "rest"
        eis = change(still, 4, eis_rows_count=50)
        assert classify(eis)["cycle_kind"][4] == "eis"
    # impedance within a cycle leaves it what it is
    assert runs(classify(change(table, 4, eis_rows_count=50))) == [("ageing", 10)]


def test_many_reversals_at_a_low_duty_are_pulses():
    pulses = {
        "half_cycles_count": 40,
        "charging_capacity_ah": 0.1,
        "discharging_capacity_ah": 0.9,
        "maximum_discharge_current_ampere": 5.0,
        "start_time_second": 0.0,
        "end_time_second": 36000.0,
    }
    table = change(cycles_of((10, 1)), 0, **pulses)
    assert runs(classify(table))[0] == ("pulse", 1)
    full = change(table, 0, charging_capacity_ah=0.95)
    assert runs(classify(full))[0] == ("pulse", 1)
    few = change(table, 0, half_cycles_count=2, charging_capacity_ah=0.95)
    assert runs(classify(few))[0] != ("pulse", 1)


def test_a_driving_profile_in_all_cycles_is_ageing():
    table = cycles_of((30, 1)).with_columns(
        half_cycles_count=400, maximum_discharge_current_ampere=pl.lit(8.0)
    )
    assert runs(classify(table)) == [("ageing", 30)]


def test_a_wider_window_at_the_same_rate_is_a_check_up():
    table = cycles_of((41, 1)).with_columns(
        end_of_charge_voltage_volt=pl.lit(3.9), charging_capacity_ah=pl.lit(1.0)
    )
    wide = {
        "end_of_charge_voltage_volt": 4.2,
        "charging_capacity_ah": 1.5,
        "discharging_capacity_ah": 1.5,
    }
    found = classify(change(table, 20, **wide))
    assert runs(found) == [("ageing", 20), ("check-up", 1), ("ageing", 20)]
    # an end voltage alone is an outlier
    found = classify(change(table, 20, end_of_charge_voltage_volt=4.2))
    assert runs(found) == [("ageing", 41)]


def test_three_columns_are_enough():
    found = classify(cycles_of((30, 1), bare=True))
    assert runs(found) == [("ageing", 30)]
    assert found.columns[-3:] == ["cycle_kind", "cycle_kind_evidence", "complete"]


def test_unsigned_counts_are_counts():
    table = cycles_of((30, 1)).with_columns(
        pl.col("cycle_count", "half_cycles_count").cast(pl.UInt32)
    )
    assert runs(classify(table)) == [("ageing", 30)]


def test_many_short_runs_take_no_longer_than_they_are_many():
    started = perf_counter()
    found = classify(cycles_of(*[(1, 1), (1, 0.2), (1, 0.5)] * 5000))
    assert found.height == 15000
    assert perf_counter() - started < 5.0  # 0.1 s; squared it would be minutes


def test_an_empty_table_stays_empty():
    found = classify(cycles_of((3, 1)).head(0))
    assert found.height == 0
    assert found["cycle_kind"].dtype == pl.String


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (cycles_of((3, 1)).drop("charging_capacity_ah"), "no column 'charging_capaci"),
        (
            change(cycles_of((3, 1)), 1, discharging_capacity_ah=-0.9),
            "discharging_capacity_ah is -0.9 in cycle 2",
        ),
        (
            cycles_of((3, 1)).with_columns(cycle_count=pl.Series([1, 2, 1])),
            "goes from 2 to 1 in row 2",
        ),
        (
            cycles_of((3, 1)).with_columns(cycle_count=pl.Series([1, 2, 2])),
            "goes from 2 to 2 in row 2",
        ),
    ],
)
def test_a_bad_cycle_table_is_refused(table, message):
    with pytest.raises(DataError, match=message):
        classify(table)


def test_labels_decide_and_unknown_ones_do_not():
    table = cycles_of((4, 1))
    labels = ["Formation", None, "Segment 7", "HPPC"]
    found = classify(table, labels=labels)
    kinds = ["formation", "ageing", "ageing", "pulse"]
    assert found["cycle_kind"].to_list() == kinds
    evidence = ["label", "inferred", "inferred", "label"]
    assert found["cycle_kind_evidence"].to_list() == evidence
    with pytest.raises(DataError, match="2 labels for 4 cycles"):
        classify(table, labels=["HPPC", None])


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Aging cycle", "ageing"),
        ("Ageing", "ageing"),
        ("Capacity check", "check-up"),
        ("capacity_check_2", "check-up"),
        ("Check-up", "check-up"),
        ("RPT", "check-up"),
        ("HPPC", "pulse"),
        ("DCIR pulse", "pulse"),
        ("EIS", "eis"),
        ("PEIS", "eis"),
        ("Formation", "formation"),
        ("Rate", "rate step"),
        ("C-rate test", "rate step"),
        ("Rest", "rest"),
        *((kind, kind) for kind in KINDS),
        ("information", None),
        ("accelerated", None),
        ("restart", None),
        ("", None),
        (None, None),
    ],
)
def test_known_spellings_of_labels(label, kind):
    assert kind_of_label(label) == kind


def test_like_cycles_refuses_what_it_cannot_choose():
    table = classify(cycles_of((3, 0.1), (20, 1)))
    assert like_cycles(table).height == 20
    assert like_cycles(table, ["formation", "ageing"]).height == 23
    with pytest.raises(DataError, match="'aging' is no kind") as error:
        like_cycles(table, "aging")
    assert "did you mean 'ageing'" in str(error.value)
    with pytest.raises(DataError, match="no column 'cycle_kind'"):
        like_cycles(cycles_of((3, 1)))


@pytest.fixture(scope="module")
def ageing_test():
    """267 cycles of a public ageing test, and what its authors call them."""
    from real_data import data_file

    path = data_file("cycling/rovi_p492-13-summary.csv")
    read = pl.read_csv(path, null_values=["NaN", ""], infer_schema_length=None)
    table = read.select(
        cycle_count="Cycle_Index",
        start_time_second="tsecs_start",
        end_time_second=pl.col("tsecs_start") + pl.col("tsecs_cycle"),
        charging_capacity_ah="Q_chg",
        discharging_capacity_ah="Q_dis",
        coulombic_efficiency=pl.col("Q_dis") / pl.col("Q_chg"),
        maximum_voltage_volt="V_max",
        minimum_voltage_volt="V_min",
        maximum_charge_current_ampere="I_max",
        maximum_discharge_current_ampere=-pl.col("I_min"),
    )
    return table, read["Cycle_Label"].to_list()


def test_labels_withheld_the_kinds_of_a_public_test_are_found(ageing_test):
    table, labels = ageing_test
    found = classify(table)
    assert found.height == 267
    counted = dict.fromkeys(("Aging cycle", "Capacity check", "HPPC", "cut short"), 0)
    for row, label in zip(found.to_dicts(), labels, strict=True):
        cycle, kind = row["cycle_count"], row["cycle_kind"]
        if label == "Aging cycle" and not row["complete"]:
            assert kind in ("incomplete", "rest"), cycle
            counted["cut short"] += 1
            continue
        expected = {
            "Aging cycle": ("ageing",),
            "Capacity check": ("check-up",),
            "HPPC": ("pulse",),
            "EIS": ("rest",),  # the table does not say that there is impedance
            None: ("check-up", "incomplete"),
        }[label]
        assert kind in expected, cycle
        if label in counted:
            counted[label] += 1
    assert counted == {
        "Aging cycle": 225,
        "Capacity check": 5,
        "HPPC": 5,
        "cut short": 8,
    }
    short = found.filter(pl.col("cycle_count").is_in([8, 34, 42, 93]))
    assert short["cycle_kind"].to_list() == ["incomplete", "rest"] * 2


def test_given_labels_are_kept(ageing_test):
    table, labels = ageing_test
    found = classify(table, labels=labels)
    kinds = {
        "Aging cycle": "ageing",
        "Capacity check": "check-up",
        "HPPC": "pulse",
        "EIS": "eis",
    }
    for row, label in zip(found.to_dicts(), labels, strict=True):
        assert row["cycle_kind_evidence"] == ("label" if label else "inferred")
        if label:
            assert row["cycle_kind"] == kinds[label]
    unlabelled = [label is None for label in labels]
    bare = classify(table)
    assert (
        found.filter(unlabelled)["cycle_kind"].to_list()
        == bare.filter(unlabelled)["cycle_kind"].to_list()
    )


@pytest.mark.parametrize("withheld", [True, False])
def test_an_efficiency_over_all_cycles_is_a_trap(ageing_test, withheld):
    table, labels = ageing_test
    found = classify(table, labels=None if withheld else labels)
    every = found["coulombic_efficiency"].drop_nulls()
    assert (every.min(), every.max()) == pytest.approx((0.0733, 7.534), abs=1e-3)
    assert every.mean() > 1.1
    like = like_cycles(found)["coulombic_efficiency"]
    assert like.len() == 225
    assert like.null_count() == 0
    assert like.min() > 0.999
    assert like.max() < 1.0013
    assert like.mean() == pytest.approx(1.0, abs=2e-4)


def test_a_last_cycle_that_the_recording_cuts_short_is_incomplete():
    n = 12
    table = pl.DataFrame(
        {
            "cycle_count": range(1, n + 1),
            "charging_capacity_ah": [1.0] * n,
            "discharging_capacity_ah": [0.999] * (n - 1) + [0.6],
            "charge_current_ampere": [1.0] * n,
            "discharge_current_ampere": [1.0] * n,
            "end_of_charge_voltage_volt": [4.2] * n,
            "end_of_discharge_voltage_volt": [2.7] * (n - 1) + [3.55],
        }
    )
    found = classify(table)
    assert found["cycle_kind"].to_list() == ["ageing"] * (n - 1) + ["incomplete"]
    assert found["complete"].to_list() == [True] * (n - 1) + [False]


def test_a_last_cycle_that_lost_capacity_but_reached_its_end_is_complete():
    n = 12
    table = pl.DataFrame(
        {
            "cycle_count": range(1, n + 1),
            "charging_capacity_ah": [1.0] * n,
            "discharging_capacity_ah": [0.999] * (n - 1) + [0.6],
            "charge_current_ampere": [1.0] * n,
            "discharge_current_ampere": [1.0] * n,
            "end_of_charge_voltage_volt": [4.2] * n,
            "end_of_discharge_voltage_volt": [2.7] * n,
        }
    )
    assert classify(table)["cycle_kind"].to_list() == ["ageing"] * n
