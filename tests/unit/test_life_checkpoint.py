"""Lives that are interrupted, killed, or go wrong, and go on from their checkpoint."""

import errno
import json
import multiprocessing
import os
import signal
import sys
import zipfile
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

import equipoise as eqp
from equipoise.ageing.ageing import Ageing
from equipoise.core.errors import EquipoiseWarning, SolveError, SpecError, StoreError
from equipoise.core.status import Status
from equipoise.protocol.parsing import parse
from equipoise.sim.life import checkpoint as checkpoint_module
from equipoise.sim.life import driver as driver_module
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.life import life
from equipoise.sim.machine import Machine
from equipoise.sim.mesh import Mesh, Stepping

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["equipoise.sim.life.life", "equipoise.io.cells"])
MESH = Mesh(shells_count=5)
DFN = Mesh(positive_nodes_count=3, negative_nodes_count=3, shells_count=5)


def number(value):
    return {"value": value, "source": "test", "evidence": "assumed"}


def contraction(hazard, **more):
    return {
        "kind": "lattice-contraction",
        "hazard_per_cycle_fraction": number(hazard),
        "exponent": number(4.0),
        **{k: number(v) for k, v in more.items()},
    }


def film(ohm_cm2):
    return {
        "kind": "interphase-growth",
        "film_after_1000_hour_ohm_cm2": number(ohm_cm2),
        "width_volt": number(0.1),
    }


LEAK = {
    "kind": "parasitic-current",
    "current_ma_per_g_positive": number(0.05),
    "width_volt": number(0.05),
    "halving_mah_per_g_positive": number(5.0),
}


def ageing(*mechanisms):
    return Ageing.model_validate({"mechanisms": mechanisms})


FAST = ageing(
    {**contraction(0.004, contact_ratio=2.0), "charged_fraction": 0.5},
    film(200.0),
    LEAK,
)


def cycles(count, *more):
    steps = [*more, {"do": "cycle", "c_rate": 1.0, "count": count}]
    return parse({"name": "cycles", "steps": steps}, where="test")


LOOK = {"do": "cycle", "c_rate": 0.5}
EIS = {"do": "eis", "points_per_decade_count": 1}
CHECKED = cycles(9, LOOK, EIS, {"do": "cycle", "c_rate": 1.0, "count": 30}, LOOK, EIS)
PLANS = {
    "full": {"protocol": cycles(60), "jump": None},
    "jumped": {"protocol": cycles(200), "jump": Jump(tolerance_fraction=0.01)},
    "taken back": {"protocol": cycles(200), "jump": Jump(tolerance_fraction=0.0003)},
    "traced, with impedances": {
        "protocol": CHECKED,
        "jump": None,
        "trace": [2, 20, 41],
    },
    "jumped, traced, with impedances": {
        "protocol": CHECKED,
        "jump": Jump(),
        "trace": [2, 20, 41],
    },
    "dfn": {"protocol": cycles(8), "jump": None, "model": "dfn", "mesh": DFN},
}


def run(cell, plan="full", **named):
    known = {"model": "spm", "mesh": MESH, "until_retention": 0.8, **PLANS[plan]}
    protocol = named.pop("protocol", known.pop("protocol"))
    return life(cell, protocol, named.pop("ageing", FAST), **{**known, **named})


def bits(value):
    """Nested values as bytes and text, so that nan equals nan and no digit is lost."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, tuple | list):
        return [bits(v) for v in value]
    if isinstance(value, dict):
        return {k: bits(v) for k, v in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return [bits(getattr(value, f.name)) for f in fields(value)]
    return repr(float(value)) if isinstance(value, float) else value


SAME = (
    *("results", "records", "samples", "states", "impedances", "status"),
    *("interrupted", "substeps_count", "taken_back_count"),
)


def assert_same(found, wanted):
    for name in SAME:
        assert bits(getattr(found, name)) == bits(getattr(wanted, name)), name
    assert found.cycles.equals(wanted.cycles)
    assert bits(found.cycle_life(0.9)) == bits(wanted.cycle_life(0.9))


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """What a killed process has written stays; only a power cut needs more."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


@pytest.fixture(scope="module")
def whole(hb):
    """The lives that nothing interrupts, by plan."""
    known = {}

    def get(plan):
        if plan not in known:
            known[plan] = run(hb, plan)
        return known[plan]

    return get


@pytest.fixture
def told(monkeypatch):
    """Progress is told after every cycle."""
    monkeypatch.setattr(driver_module, "PROGRESS_SECOND", -1.0)


@pytest.fixture
def often(monkeypatch):
    """The checkpoint is written after every cycle."""
    monkeypatch.setattr(checkpoint_module, "EVERY_SECOND", 0.0)
    monkeypatch.setattr(checkpoint_module, "MOST_COST_FRACTION", 1e9)


def interrupts_after(calls):
    left = [calls]

    def progress(_done, _all):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    return progress


# --- going on ---------------------------------------------------------------------


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("plan", PLANS)
def test_a_life_interrupted_again_and_again_is_the_same_life(hb, whole, tmp_path, plan):
    path = tmp_path / "life.npz"
    wanted = whole(plan)
    if "taken" in plan:
        assert wanted.taken_back_count > 0
    if "jumped" in plan:
        assert wanted.solved_count < wanted.last_cycle
    found, sessions = None, 0
    while found is None or found.interrupted:
        last = 0 if found is None else found.last_cycle
        found = run(hb, plan, checkpoint=path, progress=interrupts_after(7))
        sessions += 1
        assert found.last_cycle > last
        assert found.results[-1, 0] == found.last_cycle
        assert len(found.impedances) == sum(
            1 for one in wanted.impedances if one.cycle_count <= found.last_cycle
        )
        assert len(list(tmp_path.iterdir())) == 1  # nothing is left beside it
    assert sessions > 1
    assert_same(found, wanted)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("plan", ["full", "jumped", "traced, with impedances"])
def test_writing_a_checkpoint_changes_nothing(hb, whole, tmp_path, plan):
    path = tmp_path / "life.npz"
    assert_same(run(hb, plan, checkpoint=path), whole(plan))


@pytest.mark.parametrize("plan", ["jumped", "traced, with impedances"])
def test_a_finished_life_is_read_back_without_a_cycle(
    hb, whole, tmp_path, monkeypatch, plan
):
    path = tmp_path / "life.npz"
    run(hb, plan, checkpoint=str(path))
    before = path.read_bytes()
    monkeypatch.setattr(Machine, "advance", None)
    found = run(hb, plan, checkpoint=path)
    assert_same(found, whole(plan))
    assert not any(i.frequency_hertz.flags.writeable for i in found.impedances)
    assert path.read_bytes() == before


def test_a_life_of_a_moment_is_written_once(hb, tmp_path, monkeypatch):
    written = []
    real = checkpoint_module.write_atomic
    monkeypatch.setattr(
        checkpoint_module,
        "write_atomic",
        lambda *given: (written.append(given), real(*given)),
    )
    run(hb, checkpoint=tmp_path / "life.npz")
    assert len(written) == 1


@pytest.mark.usefixtures("often")
def test_a_file_slow_to_write_is_written_less_often(hb, tmp_path, monkeypatch):
    now, written = [0.0], []

    class Clock:
        @staticmethod
        def monotonic():
            now[0] += 0.25  # one look per cycle
            return now[0]

    def write(*_given):
        now[0] += 1.0
        written.append(now[0])

    monkeypatch.setattr(checkpoint_module, "time", Clock)
    monkeypatch.setattr(driver_module, "time", Clock)
    monkeypatch.setattr(checkpoint_module, "write_atomic", write)
    monkeypatch.setattr(checkpoint_module, "MOST_COST_FRACTION", 0.1)
    run(hb, protocol=cycles(100), until_retention=None, checkpoint=tmp_path / "a")
    assert 2 <= len(written) - 1 <= 5  # 100 cycles of 0.5 s, 12 s apart; the last
    assert np.diff(written[:-1]).min() >= 10.0


class At:
    """Raises KeyboardInterrupt at the n-th line executed in the code of a life."""

    FILES = ("driver.py", "ageing_cell.py", "jumping.py", "machine.py")

    def __init__(self, line):
        self.left = line

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.called)
        return self

    def __exit__(self, *_what):
        sys.settrace(self.before)

    def called(self, frame, _event, _argument):
        name = frame.f_code.co_filename
        inside = "/sim/" in name and name.endswith(self.FILES)
        return self.line if inside and frame.f_code.co_name != "__init__" else None

    def line(self, _frame, event, _argument):
        if event == "line":
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self.line


@pytest.mark.parametrize("copy_second", [-1.0, 0.05])
@pytest.mark.parametrize(
    ("protocol", "jump", "traced", "step"),
    [
        (cycles(2, LOOK, EIS, {"do": "cycle", "c_rate": 1.0}), None, [2], 149),
        (cycles(30), Jump(tolerance_fraction=0.0003), "none", 1009),
    ],
    ids=["full", "jumped"],
)
def test_an_interruption_within_any_line_leaves_a_whole_life(
    hb, tmp_path, monkeypatch, protocol, jump, traced, step, copy_second
):
    monkeypatch.setattr(driver_module, "COPY_SECOND", copy_second)
    named = {"protocol": protocol, "jump": jump, "trace": traced}
    wanted = run(hb, **named)
    line, within = 1 + step // 3, 0
    while True:
        path = tmp_path / f"{line}.npz"
        found = None
        # It gets through before the first cycle and after the last.
        with At(line) as at, suppress(KeyboardInterrupt):
            found = run(hb, **named, checkpoint=path)
        if at.left > 0:
            break
        if found is not None and found.interrupted:
            within += 1
            rows = found.records.shape[0]
            assert bits(found.records) == bits(wanted.records[:rows])
            assert found.results.shape[0] == 0 or (
                found.results[-1, 0] == found.last_cycle
            )
            assert all(i.cycle_count <= found.last_cycle for i in found.impedances)
        assert_same(run(hb, **named, checkpoint=path), wanted)
        line += step
    assert within >= 5


def test_samples_of_a_cycle_that_was_not_finished_go(hb, tmp_path, monkeypatch):
    plan, path = "traced, with impedances", tmp_path / "life.npz"
    monkeypatch.setattr(driver_module, "COPY_SECOND", -1.0)
    real = driver_module.Driver._worn_out

    def stopped(driver, cycle):
        if cycle == 20:
            raise KeyboardInterrupt
        return real(driver, cycle)

    with monkeypatch.context() as patch:
        patch.setattr(driver_module.Driver, "_worn_out", stopped)
        found = run(hb, plan, checkpoint=path)
    assert found.last_cycle == 19
    assert set(found.samples[:, 0]) == {2.0}
    assert_same(run(hb, plan, checkpoint=path), run(hb, plan))


# --- killed -----------------------------------------------------------------------


def killed(path, plan, where):
    """Run a life in this process, and kill it there."""
    checkpoint_module.EVERY_SECOND, checkpoint_module.MOST_COST_FRACTION = 0.0, 1e9
    driver_module.PROGRESS_SECOND = driver_module.COPY_SECOND = -1.0
    kind, count = where
    seen = [0]
    os.fsync = lambda _handle: None

    def step(*_given):
        seen[0] += 1
        if seen[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)

    if kind == "half written":

        def fsync(handle):
            if seen[0] == count - 1:
                os.truncate(handle, os.fstat(handle).st_size // 2)
            step()

        os.fsync = fsync
    elif kind == "in a cycle":
        advance = Machine.advance

        def then_die(machine, stop, **named):
            status = advance(machine, stop, **named)
            step()
            return status

        Machine.advance = then_die
    run(
        eqp.load_cell("zhang2026-hb"),
        plan,
        checkpoint=path,
        progress=step if kind == "between cycles" else None,
    )


@pytest.mark.parametrize("plan", ["full", "jumped", "traced, with impedances"])
@pytest.mark.parametrize(
    "where", [("between cycles", 13), ("in a cycle", 14), ("in a cycle", 1)]
)
def test_a_killed_life_goes_on_as_if_nothing_had_been(hb, whole, tmp_path, plan, where):
    path = tmp_path / "life.npz"
    process = PROCESSES.Process(target=killed, args=(str(path), plan, where))
    process.start()
    process.join(60.0)
    assert process.exitcode == -signal.SIGKILL
    assert path.exists()
    assert_same(run(hb, plan, checkpoint=path), whole(plan))


def test_a_kill_while_the_file_is_written_leaves_the_one_before(hb, whole, tmp_path):
    path = tmp_path / "life.npz"
    where = ("half written", 9)
    process = PROCESSES.Process(target=killed, args=(str(path), "full", where))
    process.start()
    process.join(60.0)
    assert process.exitcode == -signal.SIGKILL
    assert_same(run(hb, checkpoint=path), whole("full"))


# --- another run, damaged files, full disks ---------------------------------------


@pytest.fixture
def begun(hb, tmp_path):
    """A checkpoint in the middle of a jumped life."""
    path = tmp_path / "life.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver_module, "PROGRESS_SECOND", -1.0)
        found = run(hb, "jumped", checkpoint=path, progress=interrupts_after(14))
    assert found.interrupted
    return path


OTHER = {
    "model is spm there, dfn now": {"model": "dfn"},
    "the mesh differs": {"mesh": Mesh(shells_count=6)},
    "the stepping differs": {"stepping": Stepping(tolerance_volt=2e-3)},
    "the jumps differ": {"jump": None},
    "until_retention is 0.8 there, 0.7 now": {"until_retention": 0.7},
    "the traced cycles differ": {"trace": [3]},
    "the ageing parameters differ": {"ageing": ageing(contraction(0.0041), film(2.0))},
    "the steps of the protocol differ": {"protocol": cycles(201)},
}


@pytest.mark.parametrize("what", OTHER)
def test_the_checkpoint_of_another_run_is_refused_and_kept(hb, begun, what):
    before = begun.read_bytes()
    with pytest.raises(StoreError) as caught:
        run(hb, "jumped", checkpoint=begun, **OTHER[what])
    assert caught.value.message.endswith(f"another run: {what}") or (
        what == "the jumps differ" and f"another run: {what} (" in str(caught.value)
    )
    assert str(begun) in str(caught.value)
    assert "delete" in caught.value.remedy
    assert begun.read_bytes() == before


def test_another_cell_is_another_run(hb, lb, begun, edited):
    cell = "another run: the specification or the rates of the cell differ"
    with pytest.raises(StoreError, match=cell):
        run(lb, "jumped", checkpoint=begun)
    warmer = edited(
        ("temperature_celsius = 45", "temperature_celsius = 46"), name="zhang2026-hb"
    )
    with pytest.raises(StoreError, match=cell):
        run(eqp.load_cell(warmer), "jumped", checkpoint=begun)
    curves = hb.positive.half_cell
    curve = replace(
        curves.delithiation,
        potential_vs_li_volt=curves.delithiation.potential_vs_li_volt + 1e-6,
    )
    curves = replace(curves, delithiation=curve)
    shifted = replace(hb, positive=replace(hb.positive, half_cell=curves))
    with pytest.raises(StoreError, match="another run: the curves or the volume data"):
        run(shifted, "jumped", checkpoint=begun)


def test_another_version_is_another_run(hb, begun, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "__version__", "99.0")
    with pytest.raises(StoreError, match=r"equipoise is .* there, 99.0, format 2 now"):
        run(hb, "jumped", checkpoint=begun)


def test_a_cell_read_again_is_the_same_cell(whole, begun):
    again = eqp.load_cell("zhang2026-hb")
    assert_same(run(again, "jumped", checkpoint=begun), whole("jumped"))


def test_a_damaged_file_is_never_taken_and_never_lost(hb, whole, begun):
    raw = begun.read_bytes()
    rng = np.random.default_rng(5)
    broken = [b"", raw[:1], raw[: len(raw) // 2], raw[:-1], b"x" * 100, raw[100:]]
    for place in rng.integers(0, len(raw), 60):
        one = bytearray(raw)
        one[place] ^= 1 << int(rng.integers(8))
        broken.append(bytes(one))
    refused = 0
    for content in broken:
        begun.write_bytes(content)
        said = ""
        try:
            found = run(hb, "jumped", checkpoint=begun)
        except StoreError as error:
            said = str(error)
        if not said:  # a date in the archive, which nothing rests on
            assert_same(found, whole("jumped"))
            continue
        refused += 1
        assert "damaged" in said
        assert "delete the file to start again" in said
        assert begun.read_bytes() == content
    assert refused > 50


def test_a_table_that_lost_rows_is_noticed(hb, tmp_path):
    path = tmp_path / "life.npz"
    named = {"until_retention": None, "checkpoint": path}
    rows = run(hb, **named).solved_count
    assert rows == 60
    raw = path.read_bytes()
    shape, less = (f"'shape': ({n}, 17)".encode() for n in (rows, 10))
    assert raw.count(shape) == 1
    path.write_bytes(raw.replace(shape, less))
    with pytest.raises(StoreError, match="damaged"):
        run(hb, **named)


@pytest.mark.parametrize("change", ["no arrays", "other kind", "object", "shape"])
def test_an_archive_that_is_no_checkpoint_is_refused(hb, begun, change):
    with np.load(begun) as loaded:
        arrays = dict(loaded)
    if change == "no arrays":
        arrays = {"about": arrays["about"]}
    elif change == "other kind":
        about = json.loads(arrays["about"].tobytes()) | {"kind": "picture"}
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    elif change == "object":
        arrays["records"] = np.array([{}], dtype=object)
    else:
        arrays["positive_x"] = arrays["positive_x"][:, :, :-1]
    np.savez(begun, **arrays)
    with pytest.raises(StoreError, match="damaged, or no checkpoint of a life"):
        run(hb, "jumped", checkpoint=begun)


def test_the_file_holds_nothing_pickled(begun):
    with zipfile.ZipFile(begun) as whole:
        assert whole.testzip() is None
        for name in whole.namelist():
            assert b"'O'" not in whole.read(name)[:128]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (".", "is a folder"),
        ("absent/life.npz", "cannot be written here"),
        ("file.txt/life.npz", "cannot be read"),
        ("x" * 300, "cannot be"),
        ("x" * 250, "cannot be"),
        ("nul\0", "cannot be read"),
    ],
)
def test_a_path_that_cannot_be_written_is_told_before_the_first_cycle(
    hb, tmp_path, monkeypatch, name, said
):
    (tmp_path / "file.txt").write_text("")
    monkeypatch.setattr(Machine, "advance", None)
    with pytest.raises(StoreError, match=said) as caught:
        run(hb, checkpoint=f"{tmp_path}/{name}")
    assert caught.value.remedy
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.usefixtures("often")
def test_a_full_disk_is_one_warning_and_not_the_end(hb, whole, tmp_path, monkeypatch):
    def full(path, _content):
        message = "cannot write this file (No space left on device)"
        raise StoreError(message, where=str(path))

    monkeypatch.setattr(checkpoint_module, "write_atomic", full)
    with pytest.warns(EquipoiseWarning, match="No space left") as caught:
        found = run(hb, checkpoint=tmp_path / "life.npz")
    assert len(caught) == 1
    assert Path(caught[0].filename).name == Path(__file__).name
    assert_same(found, whole("full"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="devices and pipes of POSIX")
@pytest.mark.parametrize("name", ["/dev/full", "/dev/zero", "pipe"])
def test_a_device_or_a_pipe_is_refused_at_once(hb, tmp_path, monkeypatch, name):
    monkeypatch.setattr(Machine, "advance", None)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="a plain file was expected") as caught:
        run(hb, checkpoint=tmp_path / name)
    assert caught.value.exit_code == 2
    assert "does not exist yet" in caught.value.remedy


@pytest.mark.usefixtures("told")
def test_a_disk_that_fills_up_leaves_the_checkpoint_before(
    hb, whole, tmp_path, monkeypatch
):
    path = tmp_path / "life.npz"
    run(hb, checkpoint=path, progress=interrupts_after(9))
    before = path.read_bytes()

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.warns(EquipoiseWarning, match="the one before stays") as caught:
            run(hb, checkpoint=path, progress=interrupts_after(20))
    assert len(caught) == 1
    assert "No space left on device" in str(caught[0].message)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["life.npz"]
    assert_same(run(hb, checkpoint=path), whole("full"))


# --- bad input and bad luck -------------------------------------------------------


@pytest.mark.parametrize("jump", [None, Jump()])
@pytest.mark.parametrize("until", [0.8, None])
def test_a_cell_that_dies_in_its_first_cycle_has_a_life(hb, until, jump):
    dead = ageing(contraction(100.0, contact_ratio=1.0))
    named = {"protocol": cycles(30), "until_retention": until, "jump": jump}
    found = run(hb, ageing=dead, **named)
    lasts = found.cycle_life(0.8)
    assert found.status == Status.OK
    assert not lasts.censored
    assert 1.0 < lasts.cycle_count < 2.0
    assert found.last_cycle == (30 if until is None else 2)
    assert found.cycles["discharge_retention"][-1] < 0.01


@pytest.mark.parametrize("ratio", [600.0, 1e4])
def test_wear_that_explodes_is_a_status_with_advice(hb, tmp_path, ratio):
    wild = ageing(contraction(0.5, path_ratio=ratio))
    path = tmp_path / "life.npz"
    with pytest.raises(SolveError, match="could not be finished") as caught:
        run(hb, ageing=wild, checkpoint=path)
    assert caught.value.status == Status.WEAR_NOT_FINITE
    assert caught.value.exit_code == 3
    assert "a mechanism's parameters explode" in str(caught.value)
    with pytest.warns(EquipoiseWarning, match="parameters explode"):
        found = run(hb, ageing=wild, strict=False)
    assert found.status == Status.WEAR_NOT_FINITE
    assert found.solved_count == found.cycles.height == (1 if ratio < 1e3 else 0)
    assert found.cycle_life().censored
    with pytest.warns(EquipoiseWarning, match="parameters explode"):
        again = run(hb, ageing=wild, strict=False, checkpoint=path)
    assert_same(again, found)


def test_the_impedance_of_a_cycle_that_failed_goes_with_it(hb):
    wild = ageing(contraction(0.5, path_ratio=1e4))
    with pytest.warns(EquipoiseWarning, match="parameters explode"):
        found = run(hb, protocol=cycles(3, LOOK, EIS), ageing=wild, strict=False)
    assert found.solved_count == 0
    assert found.impedances == ()


def test_a_life_that_never_reaches_the_threshold_is_censored(hb):
    found = run(hb, protocol=cycles(20), ageing=ageing(film(1.0)))
    lasts = found.cycle_life(0.8)
    assert lasts.censored
    assert lasts.cycle_count == 20.0


@pytest.mark.usefixtures("told")
def test_ctrl_c_between_cycles_keeps_every_cycle(hb, whole):
    found = run(hb, progress=interrupts_after(9))
    assert found.interrupted
    assert found.status == Status.OK
    assert found.last_cycle == 9
    assert bits(found.records) == bits(whole("full").records[:9])


@pytest.mark.parametrize("until", [0.0, 1.0, -0.5, 80.0, float("nan"), float("inf")])
def test_a_retention_out_of_range_is_refused(hb, until):
    with pytest.raises(SpecError, match="until_retention") as caught:
        run(hb, until_retention=until)
    assert "between 0 and 1" in caught.value.remedy


def test_a_half_cell_is_refused():
    with pytest.raises(SpecError, match="a half cell was given"):
        run(eqp.load_half_cell_setup("zhang2026-ncm85-inli"))


def test_a_material_without_volume_data_has_no_contraction(hb):
    wanted = ageing({**contraction(0.01), "electrode": "negative"})
    with pytest.raises(SpecError, match="no volume-change data") as caught:
        run(hb, ageing=wanted)
    assert "volume_change" in caught.value.remedy


def test_a_hazard_that_is_no_number_is_refused():
    for value in (float("nan"), -1.0, "much"):
        with pytest.raises(ValidationError):
            ageing(contraction(value))
