"""What must hold for any ageing and any cell: orders, limits, nothing from nothing."""

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import equipoise as eqp
from equipoise.ageing.ageing import Ageing
from equipoise.core.errors import EquipoiseWarning, SpecError
from equipoise.protocol.parsing import parse
from equipoise.sim.life.ageing_cell import Mark
from equipoise.sim.life.life import life
from equipoise.sim.mesh import Mesh
from equipoise.sim.simulate import simulate

MESH = Mesh(positive_nodes_count=6, negative_nodes_count=6, shells_count=8)
CELLS = st.sampled_from(("zhang2026-hb", "zhang2026-lb"))
CYCLES = 60
PROTOCOL = parse(
    {"name": "p", "steps": [{"do": "cycle", "c_rate": 1.0, "count": CYCLES}]},
    where="test",
)
FEW = settings(max_examples=8)


@cache
def known(name):
    return eqp.load_cell(name)


def lived(cell, *mechanisms, until=None, count=CYCLES, **keys):
    steps = PROTOCOL
    if count != CYCLES:
        step = {"do": "cycle", "c_rate": keys.pop("c_rate", 1.0), "count": count}
        steps = parse({"name": "p", "steps": [step]}, where="test")
    ageing = Ageing.model_validate({"mechanisms": list(mechanisms)})
    where = known(cell) if isinstance(cell, str) else cell
    keys = {"model": "spm", "mesh": MESH} | keys
    return life(where, steps, ageing, until_retention=until, **keys)


def lattice(hazard=0.01, exponent=4.0, **keys):
    return {
        "kind": "lattice-contraction",
        "hazard_per_cycle_fraction": hazard,
        "exponent": exponent,
    } | keys


def film(after=200.0, width=0.1, **keys):
    return {
        "kind": "interphase-growth",
        "film_after_1000_hour_ohm_cm2": after,
        "width_volt": width,
    } | keys


def parasitic(current=0.05, **keys):
    return {
        "kind": "parasitic-current",
        "current_ma_per_g_positive": current,
        "width_volt": 0.1,
    } | keys


def fade(loss=1e-3, **keys):
    return {"kind": "active-fade", "loss_per_full_cycle_fraction": loss} | keys


def capacity(found):
    return found.cycles["discharging_capacity_mah_per_g_positive"].to_numpy()


def life_count(found, level=0.9):
    """Cycle life; of a life that did not end, all of it."""
    return found.cycle_life(level).cycle_count


# --- more damage


@FEW
@given(
    CELLS,
    st.floats(-3.0, -2.0),
    st.floats(1.05, 4.0),
    st.floats(1.0, 6.0),
    st.sampled_from((0.0, 0.5, 1.0)),
)
def test_a_larger_hazard_never_leaves_more_material_nor_lives_longer(
    cell, log10, ratio, exponent, fraction
):
    weak, strong = (
        lived(
            cell,
            lattice(h, exponent, charged_fraction=fraction, contact_ratio=0.5),
            until=0.9,
            count=400,
        )
        for h in (10**log10, ratio * 10**log10)
    )
    assert life_count(strong) <= life_count(weak) * (1.0 + 1e-9)
    n = min(weak.last_cycle, strong.last_cycle)
    active = [f.cycles["positive_active_fraction"].to_numpy() for f in (weak, strong)]
    assert np.all(active[1][:n] <= active[0][:n] + 1e-12)


@FEW
@given(CELLS, st.floats(1.0, 5.0), st.floats(0.1, 3.0))
def test_the_exponent_shortens_life_above_the_reference_strain_and_only_there(
    cell, exponent, more
):
    """All strains of these cells lie between 2 and 5.5 % of volume."""

    def lives(reference):
        return [
            life_count(
                lived(
                    cell,
                    lattice(2e-3, e, reference_strain_percent=reference),
                    until=0.9,
                    count=300,
                )
            )
            for e in (exponent, exponent + more)
        ]

    plain, steep = lives(2.0)
    assert steep <= plain
    plain, steep = lives(6.0)
    assert steep >= plain


@FEW
@given(CELLS, st.floats(20.0, 400.0), st.floats(1.1, 3.0))
def test_a_faster_film_never_gives_more_capacity(cell, after, ratio):
    slow, fast = (lived(cell, film(a)) for a in (after, ratio * after))
    assert np.all(capacity(fast) <= capacity(slow) + 1e-3)
    assert capacity(fast)[-1] < capacity(slow)[-1]


@FEW
@given(st.floats(0.05, 0.95), st.floats(1.1, 3.0))
def test_a_larger_frailty_never_leaves_less(log10_hazard, ratio):
    """At the same mean hazard the weak go first and the strong stay."""
    hazard = 10 ** (-3.0 + log10_hazard)
    plain, frail = (
        lived("zhang2026-hb", lattice(hazard, frailty_ratio=f))
        for f in (1.0, 1.0 * ratio)
    )
    active = [f.cycles["positive_active_fraction"].to_numpy() for f in (plain, frail)]
    assert np.all(active[1] >= active[0] - 1e-12)


@FEW
@given(CELLS, st.floats(0.2, 2.0), st.floats(20.0, 400.0), st.floats(1.05, 3.0))
def test_more_stack_pressure_never_shortens_life(cell, exponent, mpa, ratio):
    lives = []
    for pressure in (mpa, mpa * ratio):
        spec = known(cell).spec.model_copy(update={"stack_pressure_mpa": pressure})
        found = lived(
            replace(known(cell), spec=spec),
            lattice(
                3e-3,
                contact_ratio=1.0,
                stack_pressure={"exponent": exponent, "reference_mpa": 81.0},
            ),
            until=0.9,
            count=300,
        )
        lives.append(life_count(found))
    assert lives[1] >= lives[0] * (1.0 - 1e-9)


def test_pressure_without_an_exponent_does_not_matter():
    found = []
    for pressure in (10.0, 500.0):
        spec = known("zhang2026-hb").spec.model_copy(
            update={"stack_pressure_mpa": pressure}
        )
        found.append(
            lived(
                replace(known("zhang2026-hb"), spec=spec),
                lattice(stack_pressure={"exponent": 0.0}),
            )
        )
    assert capacity(found[0]).tobytes() == capacity(found[1]).tobytes()


@FEW
@given(CELLS, st.floats(0.0, 1.0))
def test_the_order_of_mechanisms_hardly_matters(cell, fraction):
    parts = [
        lattice(3e-3, charged_fraction=fraction, contact_ratio=0.5),
        film(),
        parasitic(),
        fade(),
    ]
    forth, back = lived(cell, *parts), lived(cell, *parts[::-1])
    assert capacity(back) == pytest.approx(capacity(forth), rel=1e-4)


@FEW
@given(CELLS, st.integers(0, 3), st.floats(1.5, 4.0))
def test_scaling_a_mechanism_is_writing_it_stronger(cell, index, ratio):
    parts = [lattice(3e-3), film(), parasitic(), fade()]
    names = [
        "hazard_per_cycle_fraction",
        "film_after_1000_hour_ohm_cm2",
        "current_ma_per_g_positive",
        "loss_per_full_cycle_fraction",
    ]
    scaled = Ageing.model_validate({"mechanisms": parts}).scaled(index, ratio)
    one = life(
        known(cell), PROTOCOL, scaled, model="spm", mesh=MESH, until_retention=None
    )
    parts[index] = parts[index] | {names[index]: ratio * parts[index][names[index]]}
    other = lived(cell, *parts)
    assert one.records == pytest.approx(other.records, rel=1e-12, abs=1e-15)


# --- nothing from nothing

NOTHING = [
    lattice(0.0, contact_ratio=2.0, path_ratio=1.0, charged_fraction=0.5),
    film(0.0),
    parasitic(0.0),
    parasitic(0.0, at="both"),
    fade(0.0),
]


@pytest.mark.parametrize("cell", ["zhang2026-hb", "zhang2026-lb"])
@pytest.mark.parametrize("model", ["spm", "dfn"])
def test_without_strength_a_life_is_a_run_to_the_last_bit(cell, model):
    found = lived(cell, *NOTHING, model=model)
    run = simulate(known(cell), PROTOCOL, model=model, mesh=MESH)
    assert found.results.tobytes() == run.results.tobytes()
    marks = found.cycles
    for column in (
        "positive_active_fraction",
        "positive_contact_fraction",
        "negative_active_fraction",
        "positive_diffusion_length_ratio",
    ):
        assert marks[column].to_numpy() == pytest.approx(np.ones(CYCLES), rel=1e-14)
    for column in (
        "positive_film_growth_ohm_cm2",
        "slippage_mah_per_g_positive",
        "isolated_lithium_mah_per_g_positive",
    ):
        assert (marks[column] == 0.0).all(), column


@pytest.mark.parametrize("cell", ["zhang2026-hb", "zhang2026-lb"])
def test_without_strength_nothing_fades_once_the_cell_has_settled(cell):
    late = capacity(lived(cell, *NOTHING))[15:]
    assert np.ptp(late) < 1e-3 * late[0]


def test_a_strain_below_the_threshold_does_nothing():
    found = lived(
        "zhang2026-lb",
        lattice(0.05, threshold_strain_percent=8.0, reference_strain_percent=9.0),
    )
    assert (found.cycles["positive_active_fraction"] == 1.0).all()


# --- what is refused


def test_what_cannot_age_is_refused():
    with pytest.raises(SpecError, match="both electrodes"):
        lived(None, fade())
    with pytest.raises(SpecError, match="until_retention"):
        lived("zhang2026-lb", fade(), until=1.5)
    with pytest.raises(SpecError, match="model"):
        lived("zhang2026-lb", fade(), model="p4d")


def test_an_ageing_that_needs_a_pressure_refuses_a_cell_without():
    spec = known("zhang2026-lb").spec.model_copy(update={"stack_pressure_mpa": None})
    with pytest.raises(SpecError, match="pressure"):
        lived(
            replace(known("zhang2026-lb"), spec=spec),
            lattice(stack_pressure={"exponent": 1.0}),
        )


@pytest.mark.parametrize(
    "mechanism",
    [
        lattice(50.0, 0.5, contact_ratio=50.0, path_ratio=5.0),
        film(1e9, 0.01),
        parasitic(500.0),
        parasitic(500.0, at="negative", reference_vs_li_volt=1.55),
        fade(5.0),
    ],
)
def test_an_absurd_ageing_ends_the_life_with_a_status(mechanism):
    """Rows of results and records agree, lithium is kept; nothing else is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EquipoiseWarning)
        found = lived("zhang2026-lb", mechanism, until=0.3, strict=False)
    assert found.cycles.height == found.solved_count
    assert np.isfinite(found.records[:, : Mark.STRAIN]).all()
    marks = found.records
    kept = marks[:, Mark.LITHIUM] + marks[:, Mark.ISOLATED] - marks[:, Mark.SLIPPED]
    assert kept == pytest.approx(np.full(kept.size, kept[:1].sum()), rel=1e-9)


# --- limits


def with_balance(np_ratio):
    """LB with another balance, through the design of the library."""
    return known("zhang2026-lb").with_np_ratio(np_ratio)


def test_an_endless_negative_gives_nothing_back():
    """At n/p = 3 the upper potential stays; at 1.1 it rises with the same ageing."""
    moved = {}
    for np_ratio in (1.1, 3.0):
        found = lived(with_balance(np_ratio), lattice(5e-3), count=150, c_rate=0.2)
        upper = found.cycles["upper_potential_vs_li_volt"].to_numpy()
        moved[np_ratio] = upper[-1] - upper[8]
        lost = 1.0 - found.cycles["positive_active_fraction"][-1]
        assert lost > 0.03
    assert abs(moved[3.0]) < 0.004
    assert moved[1.1] > 0.02


def test_with_an_endless_negative_capacity_falls_as_the_active_material():
    """Nothing compensates: the shares lost are alike, beyond a little kinetics."""
    found = lived(with_balance(3.0), lattice(5e-3), count=150, c_rate=0.2)
    late = found.cycles[8:]
    ratio = (
        late["discharging_capacity_mah_per_g_positive"].to_numpy()
        / late["positive_active_fraction"].to_numpy()
    )
    lost = late["positive_active_fraction"][0] - late["positive_active_fraction"][-1]
    assert np.ptp(ratio) / ratio[0] < 0.15 * lost


@FEW
@given(CELLS, st.floats(1e-3, 0.2), st.sampled_from(("positive", "negative", "both")))
def test_wear_only_grows(cell, current, at):
    keys = {"reference_vs_li_volt": 1.55} if at == "negative" else {}
    found = lived(
        cell,
        lattice(3e-3, contact_ratio=1.0, path_ratio=0.2, charged_fraction=0.5),
        film(),
        parasitic(current, at=at, **keys),
        fade(),
    ).cycles
    for column, sign in (
        ("positive_active_fraction", -1.0),
        ("positive_contact_fraction", -1.0),
        ("negative_active_fraction", -1.0),
        ("positive_film_growth_ohm_cm2", 1.0),
        ("positive_diffusion_length_ratio", 1.0),
    ):
        assert np.all(sign * np.diff(found[column].to_numpy()) >= 0.0), column
    slipped = np.diff(found["slippage_mah_per_g_positive"].to_numpy())
    if at == "positive":
        assert np.all(slipped > 0.0)
    elif at == "negative":
        assert np.all(slipped < 0.0)
    else:
        assert np.all(np.abs(slipped) < 1e-9)


@pytest.mark.parametrize(
    ("at", "sign"), [("positive", 1.0), ("negative", -1.0), ("both", 0.0)]
)
def test_slippage_moves_the_end_points_and_efficiency_does_not_tell(at, sign):
    """Oxidation fills the negative, reduction empties it, a shuttle does neither."""
    keys = {"reference_vs_li_volt": 1.55} if at == "negative" else {}
    still, moved = (
        lived("zhang2026-hb", parasitic(i, at=at, width_volt=1e6, **keys), count=80)
        for i in (0.0, 0.3)
    )
    ends = [
        f.cycles["negative_end_of_discharge_potential_vs_li_volt"].to_numpy()[-1]
        for f in (still, moved)
    ]
    efficiency = moved.cycles["coulombic_efficiency"].to_numpy()[-1]
    if at in ("positive", "both"):
        assert efficiency < 0.9995
    if sign > 0.0:
        assert ends[1] < ends[0]
    elif sign < 0.0:
        assert ends[1] > ends[0]
    else:
        assert ends[1] == pytest.approx(ends[0], abs=2e-3)
