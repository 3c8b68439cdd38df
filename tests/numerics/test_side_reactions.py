"""Currents beside the reactions of the electrodes, and weighted times."""

import numpy as np
import pytest

import equipoise as eqp
from engine_cells import (
    LINEAR_POSITIVE,
    SMALL,
    SMOOTH_NEGATIVE,
    capacity_coulomb,
    cell,
    changed,
    charge,
    discharge,
    fixed,
    hold,
    lithium_coulomb,
    machine,
    now_of,
    recursion_means,
    rest,
    shell_means,
    smooth_cell,
)
from equipoise.core.status import Status
from equipoise.kernels.layout import DIFFERENCE
from equipoise.kernels.program import End, Sample
from equipoise.kernels.side import At, Law, Reads, Side, Watch
from equipoise.kernels.simulate import Memory
from equipoise.protocol.expand import expand
from equipoise.protocol.steps import Cycle, Protocol
from equipoise.sim.lower import lower
from equipoise.sim.machine import Machine
from equipoise.sim.mesh import Stepping
from equipoise.sim.simulate import context

LB = eqp.load_cell("zhang2026-lb")
EVERYTHING = (
    charge(1),
    hold(until_c_rate=0.05),
    rest(1),
    discharge(1, until_capacity_mah_per_g_positive=60.0),
    hold(voltage_volt=2.3, until_time_hour=0.5),
    discharge(0.5),
    rest(2),
    charge(0.3, until_positive_potential_vs_li_volt=3.9),
)
TIGHT = Stepping(
    tolerance_volt=3e-5, first_fraction=1e-5, most_fraction=0.002, sample_fraction=1e-3
)
WIDE_OPEN = {
    "ionic_conductivity_millisiemens_per_cm": 1e4,
    "electronic_conductivity_millisiemens_per_cm": 1e4,
}
"""No drop within an electrode: u is its potential, but for the reference's ohms."""
CONSTANT = 1e12  # V: a current so wide that it does not depend on the potential


def law(at, ampere, *, reads=None, reference=4.2, width=0.05):
    """One row of `Side.laws`; width None: proportional."""
    row = np.zeros(len(Law))
    row[Law.AT], row[Law.AMPERE] = At[at.upper()], ampere
    row[Law.READS] = Reads[(reads or ("positive" if at == "both" else at)).upper()]
    row[Law.REFERENCE_VOLT] = reference
    row[Law.PER_VOLT] = 0.0 if width is None else 1.0 / width
    return row


def watch(electrode, reference=4.2, width=None):
    row = np.zeros(len(Watch))
    row[Watch.ELECTRODE] = 0.0 if electrode == "positive" else 1.0
    row[Watch.REFERENCE_VOLT] = reference
    row[Watch.PER_VOLT] = 0.0 if width is None else 1.0 / width
    return row


def driven(known, steps, *laws, watches=(), sampling=False, model="spm", **keys):
    """A machine at the start of its program, with laws and watches."""
    lowered = lower(known, model=model, mesh=SMALL)
    program = expand(Protocol(name="t", steps=steps), context(known, lowered))
    nodes = max(lowered.positive.nodes, lowered.negative.nodes)
    side = Side(
        np.array(laws).reshape(-1, len(Law)),
        np.array(watches).reshape(-1, len(Watch)),
        np.zeros((2, len(watches), nodes)),
    )
    stepping = keys.get("stepping") or Stepping()
    return Machine.of(lowered, program, stepping, sampling=sampling, side=side)


def over(run, *, sampling=False):
    """Run to the end; the samples of all steps if asked for."""
    samples = []
    while not run.over:
        assert run.advance(int(run.place[0]) + 1, sampling=sampling) == Status.OK
        samples.append(run.sampled())
    return np.concatenate(samples) if sampling else None


def held(run):
    """Lithium of the positive and of the negative, C."""
    now, low = now_of(run), run.lowered
    return (
        lithium_coulomb(low.positive, run.positive, now),
        lithium_coulomb(low.negative, run.negative, now),
    )


def sides(run):
    """Side charges of all steps so far: of the positive, of the negative, C."""
    found = run.finished
    return (
        float(found[:, End.POSITIVE_SIDE_COULOMB].sum()),
        float(found[:, End.NEGATIVE_SIDE_COULOMB].sum()),
    )


def one_c(known):
    return lower(known, model="spm", mesh=SMALL).one_c_ampere


# --- lithium

LAWS = {
    "positive": lambda i: (law("positive", i),),
    "negative": lambda i: (law("negative", i, reference=1.55, width=-0.05),),
    "both": lambda i: (law("both", i),),
    "leak": lambda i: (law("both", i, reads="cell", reference=0.0, width=None),),
    "all": lambda i: (
        law("positive", i),
        law("negative", 0.3 * i, reference=1.55, width=-0.1),
        law("both", 0.5 * i, reads="negative", reference=1.5, width=0.1),
    ),
}


@pytest.mark.parametrize("model", ["spm", "dfn"])
@pytest.mark.parametrize("name", LAWS)
def test_what_the_side_reactions_take_the_electrodes_do_not_get(name, model):
    run = driven(LB, EVERYTHING, *LAWS[name](0.01 * one_c(LB)), model=model)
    start, throughput = held(run), 0.0
    while not run.over:
        assert run.advance(int(run.place[0]) + 1) == Status.OK
        external = run.finished[:, End.COULOMB].sum()
        of_p, of_n = sides(run)
        throughput += abs(run.finished[-1, End.COULOMB]) + of_p + of_n
        now = held(run)
        assert start[0] - now[0] == pytest.approx(
            external - of_p, rel=0.0, abs=1e-11 * max(throughput, 1e-3)
        )
        assert now[1] - start[1] == pytest.approx(
            external - of_n, rel=0.0, abs=1e-11 * max(throughput, 1e-3)
        )
    taken = sides(run)
    assert taken[0] > 1e-4 * throughput or name == "negative"
    assert taken[1] > 1e-4 * throughput or name == "positive"
    now = now_of(run)
    for porous, state in (
        (run.lowered.positive, run.positive),
        (run.lowered.negative, run.negative),
    ):
        assert shell_means(porous, state, now) == pytest.approx(
            recursion_means(state, now), abs=1e-11
        )


def test_signs_of_the_side_charges():
    i = 0.01 * one_c(LB)
    run = driven(LB, EVERYTHING, *LAWS["positive"](i))
    over(run)
    assert sides(run)[0] > 0.0
    assert sides(run)[1] == 0.0
    assert np.all(run.finished[:, End.POSITIVE_SIDE_COULOMB] >= 0.0)
    run = driven(LB, EVERYTHING, *LAWS["negative"](i))
    over(run)
    assert sides(run)[0] == 0.0
    assert sides(run)[1] > 0.0


def test_in_a_hold_the_potentials_are_those_of_the_currents_that_react():
    """What the reference electrode sees is u of the electrode, and the ohms of I."""
    known = cell(WIDE_OPEN, WIDE_OPEN)
    i = 0.05 * one_c(known)
    laws = (law("positive", i, width=CONSTANT), law("negative", i, width=CONSTANT))
    steps = (charge(1), hold(voltage_volt=2.6, until_time_hour=2.0))
    for chosen in (laws[:1], laws[1:], laws):
        run = driven(known, steps, *chosen)
        over(run)
        low, last = run.lowered, run.finished[-1]
        u = [f.node[DIFFERENCE, 0] for f in (run.positive, run.negative)]
        positive = u[0] + low.positive_ohm * last[End.AMPERE]
        negative = u[1] - low.negative_ohm * last[End.AMPERE]
        assert last[End.POSITIVE_VOLT] == pytest.approx(positive, abs=1e-6)
        assert last[End.NEGATIVE_VOLT] == pytest.approx(negative, abs=1e-6)
        assert positive - negative == pytest.approx(2.6, abs=1e-6)


@pytest.mark.parametrize("at", ["positive", "negative", "both"])
def test_a_constant_current_at_rest_is_ampere_times_time(at):
    """A resting cell: the positive takes lithium back, or the negative loses it."""
    i, hour = 2e-3 * one_c(LB), 5.0
    steps = (charge(1, until_capacity_mah_per_g_positive=100.0), rest(hour))
    run = driven(LB, steps, law(at, i, width=CONSTANT))
    run.advance(1)
    before = held(run)
    over(run)
    passed = i * hour * 3600.0
    last = run.finished[-1]
    change = np.array(held(run)) - before
    expected = np.array(
        [passed if at != "negative" else 0.0, -passed if at != "positive" else 0.0]
    )
    assert change == pytest.approx(expected, abs=1e-11 * before[0])
    assert last[End.POSITIVE_SIDE_COULOMB] == pytest.approx(expected[0], rel=1e-10)
    assert last[End.NEGATIVE_SIDE_COULOMB] == pytest.approx(-expected[1], rel=1e-10)
    assert last[End.COULOMB] == 0.0


def test_a_shuttle_discharges_without_slippage():
    """The sum of lithium stays, the voltage falls; a positive one alone adds to it."""
    steps = (charge(1), rest(20.0))
    i = 0.02 * one_c(LB)
    calm = driven(LB, steps)
    shuttle = driven(LB, steps, law("both", i))
    slip = driven(LB, steps, law("positive", i))
    start = sum(held(calm))
    for run in (calm, shuttle, slip):
        over(run)
    assert sum(held(shuttle)) == pytest.approx(start, rel=1e-11)
    assert sides(shuttle)[0] == sides(shuttle)[1] > 0.0
    assert shuttle.finished[-1, End.VOLT] < calm.finished[-1, End.VOLT] - 0.01
    assert held(shuttle)[1] < held(calm)[1] - 1e-3 * start
    assert sum(held(slip)) == pytest.approx(start + sides(slip)[0], rel=1e-11)
    assert sum(held(slip)) > start * 1.001


def test_a_leak_empties_a_linear_cell_as_a_capacitor():
    """V = V0 exp(-t g / C) for open-circuit curves that are straight lines."""
    known = cell(
        {"open_circuit": LINEAR_POSITIVE, "diffusivity_cm2_per_s": 1e-8},
        {"open_circuit": SMOOTH_NEGATIVE, "diffusivity_cm2_per_s": 1e-8},
    )
    hour = 200.0
    siemens = 1e-3 * one_c(known)  # per V
    leak = law("both", siemens, reads="cell", reference=0.0, width=None)
    steps = (charge(0.02, until_capacity_mah_per_g_positive=120.0), rest(1), rest(hour))
    run = driven(known, steps, leak)
    over(run)
    low, rows = run.lowered, run.finished
    per_coulomb = 0.9 / capacity_coulomb(low.positive)
    per_coulomb += 0.2 / capacity_coulomb(low.negative)
    left = np.exp(-siemens * per_coulomb * hour * 3600.0)
    assert rows[-1, End.VOLT] / rows[-2, End.VOLT] == pytest.approx(left, rel=1e-5)
    assert left < 0.9


def test_the_first_lithiation_takes_the_whole_external_charge():
    """While it lasts the negative gets nothing, the positive loses I - I_side."""
    lossy = changed(cell(), "negative", first_lithiation_loss_mah_per_g=20.0)
    lowered = lower(lossy, model="spm", mesh=SMALL)
    i = 0.01 * lowered.one_c_ampere
    steps = (charge(0.5), rest(1), discharge(0.5), charge(0.5), discharge(0.5))
    for at in ("positive", "negative"):
        row = law(at, i, width=CONSTANT)
        run = driven(lossy, steps, row)
        start, bypass = held(run), float(run.memory[Memory.BYPASS_COULOMB])
        assert bypass > 0.0
        over(run)
        external, now = run.finished[:, End.COULOMB].sum(), held(run)
        of_p, of_n = sides(run)
        assert run.memory[Memory.BYPASS_COULOMB] == 0.0
        whole = 1e-10 * start[0]
        assert start[0] - now[0] == pytest.approx(external - of_p, abs=whole)
        assert now[1] - start[1] == pytest.approx(external - bypass - of_n, abs=whole)
        second = run.finished[-1, End.END_SECOND]
        if at == "positive":
            assert of_p == pytest.approx(i * second, rel=1e-3)
        else:  # none while nothing lithiates
            spared = bypass / (0.5 * lowered.one_c_ampere)
            assert of_n == pytest.approx(i * (second - spared), rel=1e-3)


# --- how much


@pytest.mark.parametrize(
    ("electrode", "column", "reference", "width"),
    [
        ("positive", Sample.POSITIVE_VOLT, 4.2, 0.05),
        ("negative", Sample.NEGATIVE_VOLT, 1.5, -0.05),
    ],
)
def test_side_charge_is_the_integral_of_the_law_over_the_trace(
    electrode, column, reference, width
):
    known = cell(WIDE_OPEN, WIDE_OPEN)
    steps = (charge(0.3), hold(until_time_hour=3.0), rest(2), discharge(0.3))
    i = 2e-4 * one_c(known)
    run = driven(
        known,
        steps,
        law(electrode, i, reference=reference, width=width),
        sampling=True,
        stepping=TIGHT,
    )
    samples = over(run, sampling=True)
    low = run.lowered
    ohm = low.positive_ohm if electrode == "positive" else -low.negative_ohm
    volt = samples[:, column] - ohm * samples[:, Sample.AMPERE]
    for step, row in enumerate(run.finished):
        part = samples[:, Sample.STEP] == row[End.STEP]
        t, u = samples[part, Sample.SECOND], volt[part]
        expected = np.trapezoid(i * np.exp((u - reference) / width), t)
        found = row[
            End.POSITIVE_SIDE_COULOMB
            if electrode == "positive"
            else End.NEGATIVE_SIDE_COULOMB
        ]
        assert found == pytest.approx(expected, rel=0.01), step
        assert expected > 0.0


def test_a_zero_law_is_no_law_to_the_last_bit():
    for known, model in ((LB, "spm"), (LB, "dfn"), (smooth_cell(), "dfn")):
        plain = machine(known, EVERYTHING, model=model)
        none = driven(known, EVERYTHING, model=model)
        zero = driven(
            known,
            EVERYTHING,
            law("positive", 0.0),
            law("negative", 0.0, reference=1.5, width=-0.05),
            law("both", 0.0, reads="cell", reference=0.0, width=None),
            watches=(watch("positive"), watch("negative", 1.5, -0.05)),
            model=model,
        )
        for run in (plain, none, zero):
            over(run)
        for run in (none, zero):
            assert run.finished.tobytes() == plain.finished.tobytes()
            for a, b in (
                (run.positive, plain.positive),
                (run.negative, plain.negative),
            ):
                assert a.x.tobytes() == b.x.tobytes()


def test_side_charge_converges():
    """Fixed substeps on smooth curves against substeps 16 times finer.

    First order: the potential after the jump of the current at the start of a step
    is not known to its first substep. Its share of the default is small.
    """
    known = smooth_cell()
    i = 0.02 * one_c(known)
    laws = (
        law("positive", i, reference=4.0, width=0.1),
        law("negative", i, reference=1.5, width=-0.1),
    )

    def found(fraction):
        run = driven(
            known, (charge(0.5, until_time_hour=1.0),), *laws, stepping=fixed(fraction)
        )
        over(run)
        return np.array(sides(run))

    fractions = np.array([0.01, 0.005, 0.0025])
    best = found(0.0025 / 16)
    off = np.array([np.abs(found(f) - best) for f in fractions])
    order = np.log(off[0] / off[-1]) / np.log(fractions[0] / fractions[-1])
    assert np.all(order > 0.8), (order, off)
    assert np.all(off[-1] < 0.01 * best), off[-1] / best


@pytest.mark.parametrize("c_rate", [0.2, 1.0])
def test_the_default_steps_are_within_three_per_cent_of_tight_ones(c_rate):
    steps = (Cycle(c_rate=c_rate, count=3),)
    i = 1e-3 * one_c(LB)
    laws = (law("positive", i), law("negative", i, reference=1.4, width=-0.05))
    watches = (watch("positive", 4.2, 0.05), watch("negative", 1.4, -0.05))
    found = []
    for stepping in (Stepping(), TIGHT):
        run = driven(LB, steps, *laws, watches=watches, model="dfn", stepping=stepping)
        over(run)
        exposed = run.side.exposed[0].mean(axis=1)
        found.append(np.array([*sides(run), *exposed]))
    assert found[0] == pytest.approx(found[1], rel=0.03)


# --- exposures


def test_plain_time_is_the_duration():
    run = driven(
        LB, EVERYTHING, watches=(watch("positive"), watch("negative")), model="dfn"
    )
    over(run)
    second = run.finished[-1, End.END_SECOND]
    nodes = run.lowered.positive.nodes
    assert run.side.exposed[0, :, :nodes] == pytest.approx(
        np.full((2, nodes), second), rel=1e-11
    )


@pytest.mark.parametrize("model", ["spm", "dfn"])
def test_at_a_constant_potential_exposure_is_the_weight_times_the_time(model):
    """A cell at rest since it was built: u is the open-circuit potential."""
    hour = 10.0
    run = driven(
        LB,
        (rest(hour),),
        watches=(watch("positive", 3.0, 0.2), watch("negative", 1.5, -0.3)),
        model=model,
    )
    over(run)
    E = run.finished[-1, [End.POSITIVE_VOLT, End.NEGATIVE_VOLT]]
    weight = np.exp([(E[0] - 3.0) / 0.2, (E[1] - 1.5) / -0.3])
    for w, nodes in enumerate((run.lowered.positive.nodes, run.lowered.negative.nodes)):
        assert run.side.exposed[0, w, :nodes] == pytest.approx(
            np.full(nodes, weight[w] * hour * 3600.0), rel=1e-6
        )


def test_exposure_in_a_long_hold_is_that_of_the_potential_it_comes_to():
    steps = (charge(0.5), hold(until_time_hour=5.0), hold(until_time_hour=100.0))
    run = driven(LB, steps, watches=(watch("positive", 4.2, 0.03),))
    run.advance(2)
    run.side.exposed[:] = 0.0
    over(run)
    u = run.positive.node[DIFFERENCE, 0]
    assert run.side.exposed[0, 0, 0] == pytest.approx(
        np.exp((u - 4.2) / 0.03) * 3.6e5, rel=0.01
    )


@pytest.mark.parametrize("electrode", ["positive", "negative"])
def test_exposure_is_the_integral_of_the_trace(electrode):
    reference, width = (4.2, 0.05) if electrode == "positive" else (1.5, -0.05)
    known = cell(WIDE_OPEN, WIDE_OPEN)
    steps = (charge(0.5), hold(until_c_rate=0.05), rest(1), discharge(0.5))
    seen = (watch(electrode, reference, width),)
    run = driven(known, steps, watches=seen, sampling=True, stepping=TIGHT)
    samples = over(run, sampling=True)
    positive, low = electrode == "positive", run.lowered
    ohm = low.positive_ohm if positive else -low.negative_ohm
    column = Sample.POSITIVE_VOLT if positive else Sample.NEGATIVE_VOLT
    u = samples[:, column] - ohm * samples[:, Sample.AMPERE]
    integrand = np.exp((u - reference) / width)
    expected = np.trapezoid(integrand, samples[:, Sample.SECOND])
    coarse = driven(known, steps, watches=seen)
    over(coarse)
    assert run.side.exposed[0, 0, 0] == pytest.approx(expected, rel=0.002)
    assert coarse.side.exposed[0, 0, 0] == pytest.approx(expected, rel=0.02)


def test_exposures_follow_the_local_potential_through_the_electrode():
    """At a high rate the nodes of a poorly conducting electrode differ, in order."""
    known = cell({"ionic_conductivity_millisiemens_per_cm": 0.02})
    steps = (charge(2, until_time_hour=0.2),)
    run = driven(known, steps, watches=(watch("positive", 4.2, 0.02),), model="dfn")
    over(run)
    found = run.side.exposed[0, 0, : run.lowered.positive.nodes]
    moves = np.diff(found)
    assert np.all(moves > 0.0) or np.all(moves < 0.0)
    assert found.max() > 1.2 * found.min()


def test_laws_can_be_changed_between_steps():
    """`with_side` shares the state: nothing but the side currents changes."""
    steps = (charge(1), rest(5), rest(5))
    i = 1e-3 * one_c(LB)
    run = driven(LB, steps)
    run.advance(2)
    other = run.with_side(run.side._replace(laws=law("both", i, width=CONSTANT)[None]))
    before = sum(held(other)), held(other)[0]
    over(other)
    assert held(other)[0] - before[1] == pytest.approx(i * 5 * 3600.0, rel=1e-9)
    assert sum(held(other)) == pytest.approx(before[0], rel=1e-12)
