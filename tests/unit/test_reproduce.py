"""The rows of the paper, the draw that stands for all, and the report."""

import json
import math
import re
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError, SpecError
from equipoise.core.status import Status
from equipoise.report import reproduction_claims as claims
from equipoise.report.reproduction import write_reproduction
from equipoise.report.reproduction_drawings import PRINTED_HB, THREE_ELECTRODES
from equipoise.report.reproduction_lives import median_life, tables_of
from equipoise.report.reproduction_open import hypothesis_shares, parameters_left
from equipoise.report.reproduction_page import reproduction_page
from equipoise.report.reproduction_rows import (
    by_role,
    condensed,
    reproduction_json,
    row_text,
    summaries,
)
from equipoise.study.zhang2026 import representative as single
from equipoise.study.zhang2026 import reproduce as study
from equipoise.study.zhang2026.ensemble import Member
from equipoise.study.zhang2026.hypotheses import HYPOTHESES
from equipoise.study.zhang2026.predict import LB_CELL, Prediction
from equipoise.study.zhang2026.reproduce import Row, printed_rows, reproduce


def made_up(index):
    """A draw at the start of the priors."""
    hypothesis = HYPOTHESES[index]
    values = {p.name: p.natural(p.start) for p in hypothesis.parameters()}
    cells = dict.fromkeys(LB_CELL.values(), 0.1 * index)
    return Member(hypothesis.name, "zhang2026", values, cells, 1.0)


@pytest.fixture(scope="module")
def draws():
    return made_up(0), made_up(1)


@pytest.fixture(scope="module")
def found(draws):
    return reproduce(draws=draws)


@pytest.fixture(scope="module")
def written(found, tmp_path_factory):
    said = []
    folder = tmp_path_factory.mktemp("reproduction")
    done = write_reproduction(
        found, folder, command="equipoise reproduce zhang2026", progress=said.append
    )
    return done, done.report.read_text("utf-8"), said


# --- rows


def test_every_row_of_the_paper_is_there(found):
    ids = [r.id for r in found.rows]
    assert len(ids) == len(set(ids))
    wanted = {r["id"] for r in printed_rows()} - {"P2"}
    assert wanted <= set(ids)
    assert [i for i in ids if i.startswith("P2.")] == [
        f"P2.{n}" for n in range(100, 2501, 100)
    ]


def test_a_blind_row_never_has_a_printed_number(found):
    blind = [r for r in found.rows if r.role == "blind"]
    assert len(blind) == 33
    for row in blind:
        assert row.printed is None
        assert row.within is None
        assert row_text(row).printed == "-"
        assert math.isfinite(row.computed)
        assert row.low <= row.computed <= row.high


def test_roles_say_what_was_used(found):
    role = {r.id: r.role for r in found.rows}
    assert role["A3"] == role["L1"] == role["S9"] == "calibrated"
    assert role["L5"] == "predicted"  # LB after ageing, printed
    assert role["P1"] == role["P2.100"] == "blind"
    assert role["B3"] == role["L7"] == "input"


def test_inputs_are_those_of_the_bundled_cells_and_methods(found):
    row = {r.id: r for r in found.rows}
    for name in ("B3", "B4", "G8", "G9", "D2", "D3", "D4"):
        assert row[name].computed == row[name].printed, name
        assert row[name].within is True
    assert row["G1"].note == "as printed"
    assert row["G7"].note == "not used by the model"


def test_the_table_of_a_reproduction_has_all_rows(found):
    assert found.table.height == len(found.rows)
    assert found.table["id"].to_list() == [r.id for r in found.rows]


def row(**changes):
    start = Row(
        "A3", "HB", "1C", "cycles", "cycles", "sec. 2.4", "calibrated",
        414.0, 409.6, 380.2, 450.7, True,
    )  # fmt: skip
    return replace(start, **changes)


def test_numbers_have_the_digits_they_deserve():
    text = row_text(row())
    assert (text.printed, text.computed) == ("414", "410")
    assert text.interval == "380 to 451"
    assert text.within == "yes"
    blind = row(id="P9", unit="V", role="blind", printed=None, computed=4.19421)
    assert row_text(blind).computed == "4.1942"
    printed = row(id="T1", unit="V", computed=4.19344)
    assert row_text(printed).computed == "4.1934"
    percent = row(id="L4", unit="%", computed=99.6543)
    assert row_text(percent).computed == "99.65"  # printed 99.6: one digit more
    nothing = row(computed=None, low=None, high=None, within=None)
    text = row_text(nothing)
    assert (text.computed, text.interval, text.within) == ("-", "-", "-")
    assert row_text(row(within=False)).within == "no"


def test_a_printed_range_stays_as_it_is_printed(found):
    by_id = {r.id: row_text(r) for r in found.rows}
    assert by_id["G3"].printed == "8 to 9"
    assert by_id["B3"].unit == ""
    assert by_id["B3"].interval == "-"


def test_a_terminal_shows_every_500th_cycle(found):
    few = [r.id for r in condensed(found.rows) if r.id.startswith("P2")]
    assert few == [f"P2.{n}" for n in (500, 1000, 1500, 2000, 2500)]
    assert len(condensed(found.rows)) == len(found.rows) - 20


def test_summaries_count_by_role():
    rows = [
        row(),
        row(within=False),
        row(within=None),
        row(role="blind", printed=None, within=None),
        row(role="input"),
    ]
    assert summaries(rows) == [
        "input: 1 of 1 taken as printed",
        "calibrated: 1 of 2 within the 90 % interval; 1 not compared",
        "blind: 1 numbers, nothing to compare them with (withheld)",
    ]
    assert list(by_role(rows)) == ["input", "calibrated", "blind"]


def test_json_has_no_word_for_infinity():
    fake = SimpleNamespace(rows=(row(computed=math.nan),), predictions=(1, 2))
    content = reproduction_json(fake, report=None, version="1")
    json.dumps(content, allow_nan=False)
    assert content["rows"][0]["computed"] is None
    assert list(content) == ["equipoise", "paper", "rows", "report", "draws"]
    assert set(content["rows"][0]) == set(Row.__slots__)


def test_an_interrupted_simulation_interrupts_everything(draws, monkeypatch):
    real = study.simulate

    def cut_short(*arguments, **options):
        return replace(real(*arguments, **options), interrupted=True)

    monkeypatch.setattr(study, "predict_all", lambda *_, **__: [])
    monkeypatch.setattr(study, "simulate", cut_short)
    with pytest.raises(KeyboardInterrupt):
        reproduce(draws=draws)


def test_the_filters_of_warnings_are_left_as_they_were(draws, monkeypatch):
    def spoils(*_, **__):
        warnings.simplefilter("ignore")
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "predict_all", spoils)
    before = list(warnings.filters)
    with pytest.raises(KeyboardInterrupt):
        reproduce(draws=draws)
    assert warnings.filters == before


# --- the draw that stands for all


def prediction(**numbers):
    return Prediction(made_up(0), numbers, {})


def test_the_representative_draw_is_nearest_to_the_medians():
    low, middle, high = (
        prediction(A=1.0, B=30.0),
        prediction(A=2.0, B=20.0),
        prediction(A=3.0, B=10.0),
    )
    for order in ([low, middle, high], [middle, high, low]):
        assert single.representative(order) is middle


def test_many_cycles_count_as_one_row():
    many = {f"P2.{n}": 0.0 for n in range(100)}
    far = dict.fromkeys(many, 1.0)
    draws = [
        prediction(A=0.0, B=0.0, **dict.fromkeys(many, 0.4)),
        prediction(A=0.5, B=0.5, **far),
        prediction(A=1.0, B=1.0, **many),
    ]
    # near in P2 alone loses against near in A and B
    assert single.representative(draws) is draws[1]


def test_a_number_that_is_missing_is_a_width_off():
    draws = [prediction(A=1.0), prediction(A=1.0, B=2.0), prediction(A=1.0, B=3.0)]
    assert single.representative(draws) is not draws[0]
    draws = [prediction(A=math.inf), prediction(A=1.0), prediction(A=1.1)]
    assert single.representative(draws) is not draws[0]


def test_there_must_be_a_draw():
    with pytest.raises(SpecError, match="no draw"):
        single.representative([])


def test_a_solved_life_solves_every_cycle_and_traces(draws):
    found = single.solved_life(draws[0], "LB three electrodes", trace={1, 3})
    assert found.solved_count == found.last_cycle == 24
    assert set(found.trace["cycle_count"].to_list()) == {1, 3}


def test_a_solved_life_ages_as_the_draw_does(draws, found):
    again = single.solved_life(draws[1], "HB 0.2C")
    jumped = found.predictions[1].lives["HB 0.2C"]
    column = "discharging_capacity_mah_per_g_positive"
    assert again.cycles[column][-1] == pytest.approx(jumped.cycles[column][-1], abs=0.5)
    other = single.solved_life(
        replace(draws[1], values=draws[1].values | {"cell_0.2C": 0.7}), "HB 0.2C"
    )
    assert other.cycles[column][-1] < again.cycles[column][-1] - 3.0


def test_an_unknown_case_is_refused(draws):
    with pytest.raises(SpecError, match="XB"):
        single.solved_life(draws[0], "XB 1C")


def test_interrupted_single_runs_give_nothing(draws, monkeypatch):
    cut = SimpleNamespace(interrupted=True)
    monkeypatch.setattr(single, "life", lambda *_, **__: cut)
    monkeypatch.setattr(single, "simulate", lambda *_, **__: cut)
    with pytest.raises(KeyboardInterrupt):
        single.solved_life(draws[0], "HB 1C")
    with pytest.raises(KeyboardInterrupt):
        single.pressure_run(draws[0], "zhang2026-hb")


# --- medians


def life_table(cycles, capacity, ageing=None, settled=None):
    count = len(cycles)
    return pl.DataFrame(
        {
            "cycle_count": cycles,
            "capacity": [float(c) for c in capacity],
            "is_ageing_cycle": [True] * count if ageing is None else ageing,
            "is_settled": [True] * count if settled is None else settled,
        }
    )


def test_medians_are_taken_cycle_by_cycle_as_far_as_all_have_run():
    one = life_table([1, 3, 5], [10, 12, 14])
    two = life_table([1, 2, 4], [20, 21, 23])
    three = life_table([1, 4], [30, 33], settled=[True, True])
    found = median_life([one, two, three])
    assert found["cycle_count"].to_list() == [1, 2, 3, 4]
    assert found["capacity"].to_list() == [20.0, 21.0, 22.0, 23.0]
    assert found["is_settled"].all()
    assert found["is_ageing_cycle"].all()


def test_cycles_that_settle_are_left_out_of_medians():
    one = life_table([1, 2, 3], [10, 99, 12], settled=[True, False, True])
    assert median_life([one])["capacity"].to_list() == [10.0, 12.0]


def test_other_cycles_are_kept_if_every_draw_has_them():
    flags = [False, False, True, True]
    one = life_table([1, 2, 3, 4], [5, 6, 10, 11], flags)
    two = life_table([1, 3, 4], [7, 10, 13], [False, True, True])
    found = median_life([one, two])
    assert found["cycle_count"].to_list() == [1, 3, 4]
    assert found["is_ageing_cycle"].to_list() == [False, True, True]
    assert found["capacity"].to_list() == [6.0, 10.0, 12.0]


def test_a_long_life_is_thinned_out_with_its_ends():
    cycles = list(range(1, 2001))
    found = median_life([life_table(cycles, cycles)])
    assert found.height == 120
    assert found["cycle_count"][0] == 1
    assert found["cycle_count"][-1] == 2000


def test_draws_without_a_cycle_in_common_have_no_medians():
    with pytest.raises(DataError, match="no draw"):
        median_life([])
    with pytest.raises(DataError, match="in common"):
        median_life([life_table([1, 2], [1, 1]), life_table([5, 6], [1, 1])])


def with_table(table):
    lives = {"HB rates": SimpleNamespace(cycles=table)}
    return SimpleNamespace(lives=lives)


def test_the_first_cycle_after_another_rate_is_of_another_kind():
    flags = [False, True, True, False, True, True]
    table = life_table(range(1, 7), [1] * 6, flags)
    (found,) = tables_of([with_table(table)], "HB rates")
    assert found["is_ageing_cycle"].to_list() == [
        False, True, True, False, False, True,
    ]  # fmt: skip  # cycle 2 is the reference, cycle 5 follows another rate
    (found,) = tables_of([with_table(table)], "HB rates", all_alike=True)
    assert found["is_ageing_cycle"].all()
    assert tables_of([with_table(table)], "LB rates") == []


# --- what stays open


def test_shares_are_of_all_draws(found):
    shares = hypothesis_shares(found.predictions)
    assert [s.name for s in shares] == [HYPOTHESES[0].name, HYPOTHESES[1].name]
    assert {s.percent for s in shares} == {"50"}
    assert shares[0].rates == "zhang2026 (1)"


def test_parameters_before_and_after(found):
    (hazard,) = [p for p in parameters_left(found.predictions) if p.name == "hazard"]
    assert hazard.after == "0.00158 to 0.00158"
    assert hazard.left_percent == "0"
    low, high = (float(x) for x in hazard.before.split(" to "))
    assert low < 0.00158 < high


def test_parameters_that_are_left_alone_stay_as_they_were(draws):
    parameter = HYPOTHESES[1].parameters()[0]
    some = np.linspace(-1.645, 1.645, 41) * parameter.prior_width + parameter.start
    spread = [
        replace(draws[1], values=draws[1].values | {parameter.name: 10.0**x})
        for x in some
    ]
    left = parameters_left([Prediction(m, {}, {}) for m in spread])
    assert float(left[0].left_percent) == pytest.approx(90.0, abs=1.0)


def test_claims_count_the_draws_that_agree():
    def seen(first, last):
        table = pl.DataFrame(
            {
                "cycle_count": [1, 2, 20, 50],
                "is_settled": [True] * 4,
                **{c.column: [0.0, first, first, last] for c in claims.CLAIMS},
            }
        )
        life = SimpleNamespace(cycles=table, last_cycle=50)
        return SimpleNamespace(lives={c.case: life for c in claims.CLAIMS})

    falls, rises, same = seen(3.0, 1.0), seen(1.0, 2.0), seen(1.0, 1.0)
    hb, lb, upper, at_1c = claims.claim_texts([falls, rises, same, falls])
    assert hb.agree == "2 of 4"
    assert lb.agree == upper.agree == at_1c.agree == "1 of 4"
    assert (lb.first, lb.last) == ("2.0", "1.0")


# --- the report


def test_all_files_are_named_and_whole(written):
    done, _, said = written
    folder = done.report.parent
    on_disk = {p for p in folder.rglob("*") if p.is_file()}
    assert on_disk == set(done.files)
    assert done.files[0] == done.report
    names = {p.relative_to(folder).as_posix() for p in on_disk}
    assert {"report.html", "rows.csv", "rows.json", "lives/spectra.csv"} <= names
    for case in ("HB_0.2C", "HB_1C", "LB_1C", "LB_three_electrodes"):
        assert {f"lives/{case}.csv", f"lives/{case}.parquet"} <= names
    assert said[-1] == "report.html"


def test_every_figure_of_the_paper_is_drawn(written):
    done, html, _ = written
    stems = {p.stem for p in done.files if p.suffix == ".svg"}
    assert stems == {p.stem for p in done.files if p.suffix == ".png"}
    assert stems == {
        "capacity_0.2C", "capacity_rates", "capacity_1C", "dqdv_map", "dqdv_lines",
        "wear_0.2C", "pressure", "nyquist", "nyquist_arcs", "drt", "resistances",
        "potentials_three_electrodes", "potentials_1C", "compensation_line", "ledger",
        "wear_1C", "rows_calibrated", "rows_predicted",
    }  # fmt: skip
    for paper in (
        *("Fig. 2c, d", "Fig. 2e, f", "Fig. 3a, b", "Fig. 4b", "Fig. 4c", "Fig. 4d"),
        *("Fig. 4e", "Fig. 5", "Fig. 7", "Table S7"),
    ):
        assert f"({paper})" in html, paper


def test_every_caption_says_what_was_calibrated_or_predicted(written):
    _, html, _ = written
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html, flags=re.DOTALL)
    assert len(captions) == 18
    for caption in captions:
        assert re.search(r"calibrated|[Pp]redicted|not measured|input", caption), (
            caption
        )
    single_cell = [c for c in captions if "One draw stands for all" in c]
    assert len(single_cell) == 7


def test_the_page_needs_nothing_but_itself(written):
    done, html, _ = written
    assert not re.search(r"<(script|link|iframe|img|object|embed)\b", html)
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:src|href)="([^"]*)"', html):
        if target.startswith("#"):
            assert target[1:] in ids, target
        elif not target.startswith("data:image/png;base64,"):
            assert (done.report.parent / target).is_file(), target
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html


def test_the_page_tells_roles_draws_and_what_stays_open(written):
    _, html, _ = written
    for part in (
        *(f'<span class="role {r}">{r}</span>' for r in ("input", "calibrated")),
        *(f'<span class="role {r}">{r}</span>' for r in ("predicted", "blind")),
        "2 draws",
        "What the HB cells leave open",
        "docs/reference/ageing-calibration.md",
        HYPOTHESES[1].name,
        "frame of 60 kN/mm",
        "equipoise reproduce zhang2026",
    ):
        assert part in html, part
    assert html.count("withheld</span>") == 33


def test_the_rows_on_disk_are_the_rows(written, found):
    done, _, _ = written
    folder = done.report.parent
    content = json.loads((folder / "rows.json").read_text("utf-8"))
    assert content["draws"] == 2
    assert [r["id"] for r in content["rows"]] == [r.id for r in found.rows]
    table = pl.read_csv(folder / "rows.csv")
    blind = table.filter(pl.col("role") == "blind")
    assert blind["printed"].is_null().all()


def test_printed_points_of_the_figures_are_those_of_the_table(found):
    printed = {r.id: r.printed for r in found.rows}
    assert [p.capacity for p in PRINTED_HB["0.2C"]] == [printed["L1"], printed["L2"]]
    assert [p.spread for p in PRINTED_HB["0.2C"]] == [printed["L6"], printed["L7"]]
    first, level, last = PRINTED_HB["1C"]
    assert first.capacity == printed["A1"]
    assert level.capacity == pytest.approx(0.8 * printed["A1"])
    assert level.cycle_count - first.cycle_count + 1 == printed["A3"]
    assert last.capacity == printed["A4"]
    assert [p.capacity for p in PRINTED_HB["rates"][:-1]] == [
        printed[k] for k in ("R1", "R3", "R5", "R7", "A6")
    ]
    end = PRINTED_HB["rates"][-1].capacity
    assert end == pytest.approx(printed["A7"] / 100.0 * printed["A6"])
    assert list(THREE_ELECTRODES.values()) == [printed["T1"], printed["T2"]]


def test_without_figures_there_are_tables(found, tmp_path):
    done = write_reproduction(found, tmp_path / "plain", figures=False)
    html = done.report.read_text("utf-8")
    assert "<svg" not in html
    assert "All numbers" in html
    assert not (tmp_path / "plain" / "figures").exists()


def test_a_life_that_broke_off_is_told(found):
    broken = replace(found.predictions[0].lives["LB 1C"], status=Status.NOT_FINITE)
    first = replace(
        found.predictions[0], lives=found.predictions[0].lives | {"LB 1C": broken}
    )
    some = replace(found, predictions=(first, found.predictions[1]))
    html = reproduction_page(some, first, [], {}, notes={}, command="", files=[])
    assert "LB 1C: 1 of 2 draws" in html
