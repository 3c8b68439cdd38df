"""A file from which a life goes on after an interruption, with the same result.

What is written is the cell at its last certain moment: between two cycles, and not
while a jump is on trial. Of a jump on trial the state before it is written, and that
it was made; it is made again when the life goes on. The file is an uncompressed
``.npz`` of plain arrays (nothing pickled), and its member `about` is JSON: what the
file is, which run it belongs to, and what is no array.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tempfile
import time
import warnings
import zipfile
from copy import copy
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from equipoise import __version__
from equipoise.core.errors import EquipoiseWarning, StoreError
from equipoise.core.files import write_atomic
from equipoise.kernels.layout import Field
from equipoise.sim.impedance.cell_impedance import CellImpedance
from equipoise.sim.life.ageing_cell import AgedState, Mark
from equipoise.sim.life.jumping import Trial, set_slow_states
from equipoise.sim.life.tables import reference_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from equipoise.sim.life.ageing_cell import Ends
    from equipoise.sim.life.driver import Driver
    from equipoise.sim.life.jumping import Jumper
    from equipoise.sim.mesh import Mesh, ModelName, Stepping

Array = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
Parts = dict[str, str]
"""What a run is made of: a value in words, or a hash."""

KIND = "checkpoint of a life, equipoise"
FORMAT = 2
EVERY_SECOND = 3.0
"""Wall time between two writings, at the least."""
MOST_COST_FRACTION = 0.01
"""A file that takes long to write is written less often: its share of the run."""
_SIDES = ("positive", "negative")
_SPELT = ("equipoise", "model", "until_retention")
"""Parts whose values a message gives; of the others it says that they differ."""
_PUT_RIGHT = "delete the file to start again, or name another one"
_UNFIT = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What content raises that is whole, but not what this run would have written."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A life at a certain moment; lists that only grow are told by their lengths."""

    state: AgedState
    jumper: Jumper | None  # a copy; its arrays are never changed in place
    samples_count: int
    states_count: int
    impedances_count: int
    reference_cycle_count: int | None
    reference_coulomb: float
    level_retention: float
    last_retention: float
    ended: bool

    @classmethod
    def of(cls, driver: Driver, *, ended: bool = False) -> Snapshot:
        """Of a driver between two cycles, or at its end."""
        cell, jumper = driver.cell, driver.jumper
        trial = None if jumper is None or ended else jumper.trial
        return cls(
            cell.state() if trial is None else trial.state,
            None if jumper is None else copy(jumper),
            len(driver.samples),
            len(driver.states),
            len(cell.machine.impedances),
            driver.reference_cycle,
            driver.reference_coulomb,
            driver.level,
            driver.retention,
            ended,
        )

    @property
    def rows_count(self) -> int:
        """Rows of results up to this moment."""
        return int(self.state.place[1])

    def bring_back(self, driver: Driver) -> None:
        """Take a driver back to this moment; a jump on trial is forgotten."""
        cell = driver.cell
        cell.restore(self.state)
        del cell.machine.impedances[self.impedances_count :]
        del driver.samples[self.samples_count :]
        del driver.states[self.states_count :]
        driver.rows_count = self.rows_count
        driver.reference_cycle = self.reference_cycle_count
        driver.reference_coulomb = self.reference_coulomb
        driver.level = self.level_retention
        driver.retention = self.last_retention
        if driver.jumper is not None:
            driver.jumper.trial = None


class Checkpoint:
    """The file of one run: read at the start, written from time to time."""

    def __init__(self, path: str | Path, parts: Parts) -> None:
        self.path, self.parts = Path(path), parts
        self.every_second = EVERY_SECOND
        self.written_second = time.monotonic()
        self.has_warned = False

    def resume(self, driver: Driver) -> None:
        """Bring a driver to where the file is, if there is one.

        Raises
        ------
        StoreError
            If the file is damaged or of another run, if it cannot be written, or if
            the path is that of a device or a pipe.
        """
        require_file(self.path)
        raw = self._read()
        if raw is not None:
            about, arrays = self._opened(raw)
            self._require_same(about)
            try:
                _go_on(driver, about, arrays)
            except _UNFIT:
                raise self._damaged() from None
        if not driver.ended:
            self._require_room()

    def write(self, driver: Driver, snapshot: Snapshot) -> None:
        """Write a moment; a disk that is full is worth a warning, not the run."""
        begin = time.monotonic()
        try:
            write_atomic(self.path, _content(driver, snapshot, self.parts))
        except StoreError as error:
            if not self.has_warned:
                self.has_warned = True
                kept = "the one before stays" if self.path.exists() else "there is none"
                warnings.warn(
                    f"{self.path}: the checkpoint could not be written and the run "
                    f"goes on without ({error.message}); {kept}, and it is tried again",
                    EquipoiseWarning,
                    stacklevel=6,  # the caller of `life`
                )
        self.written_second = time.monotonic()
        took = self.written_second - begin
        self.every_second = max(EVERY_SECOND, took / MOST_COST_FRACTION)

    def is_due(self, now_second: float) -> bool:
        """Whether it is time to write, by the monotonic clock."""
        return now_second - self.written_second >= self.every_second

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StoreError(
                f"the checkpoint cannot be read ({reason})",
                where=str(self.path),
                remedy="name another file",
            ) from None

    def _opened(self, raw: bytes) -> tuple[dict[str, Any], Arrays]:
        """What the file says of itself, and its arrays; all sums are checked."""
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as whole:
                if whole.testzip() is not None:
                    raise self._damaged()
            with np.load(io.BytesIO(raw), allow_pickle=False) as loaded:
                arrays: Arrays = {name: loaded[name] for name in loaded.files}
            about = json.loads(arrays.pop("about").tobytes())
        except Exception:  # a damaged zip raises almost anything
            raise self._damaged() from None
        if not isinstance(about, dict) or cast("Any", about).get("kind") != KIND:
            raise self._damaged()
        return cast("dict[str, Any]", about), arrays

    def _damaged(self) -> StoreError:
        return StoreError(
            "this file is damaged, or no checkpoint of a life",
            where=str(self.path),
            remedy=_PUT_RIGHT,
        )

    def _require_same(self, about: dict[str, Any]) -> None:
        there, here = about.get("parts"), self.parts
        if not isinstance(there, dict):
            raise self._damaged()
        other = _differences(cast("Parts", there), here)
        if other:
            raise StoreError(
                f"this checkpoint belongs to another run: {'; '.join(other)}",
                where=str(self.path),
                remedy="give the same run again to go on with it, name another file "
                "for this run, or delete this one",
            )

    def _require_room(self) -> None:
        """Try whether a file can be written beside the checkpoint, or in its place."""
        try:
            with tempfile.NamedTemporaryFile(
                dir=self.path.parent, prefix=f".{self.path.name}."
            ):
                pass
        except OSError as error:
            raise StoreError(
                f"the checkpoint cannot be written here ({error.strerror or error})",
                where=str(self.path),
                remedy="name a file in a folder that exists and may be written to",
            ) from None


def require_file(path: Path) -> None:
    """Refuse a path that is there and no plain file, before anything is read of it.

    Raises
    ------
    StoreError
        If it is a folder, a device, a pipe or a socket. To read of a device may never
        come to an end, and to write in place of one would replace it.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # not there, or told when it is read
        return
    if stat.S_ISREG(mode):
        return
    folder = stat.S_ISDIR(mode)
    raise StoreError(
        "the checkpoint is a folder, a file was expected"
        if folder
        else "the checkpoint is a device or a pipe, a plain file was expected",
        where=str(path),
        remedy=f"name a file in it, e.g. {path / 'life.npz'}"
        if folder
        else "name a plain file, or one that does not exist yet",
    )


def parts_of(driver: Driver, run: tuple[ModelName, Mesh, Stepping]) -> Parts:
    """What makes a run the one it is; to be asked before its first cycle."""
    cell, (model, mesh, stepping) = driver.cell, run
    machine, ageing = cell.machine, cell.ageing
    kinds = [f"{type(m).__module__}.{type(m).__qualname__}" for m in ageing.mechanisms]
    jump = None if driver.jumper is None else driver.jumper.jump.model_dump_json()
    rates = cell.cell.kinetics
    program = machine.program
    sweeps = {row: eis.model_dump_json() for row, eis in program.sweeps.items()}
    return {
        "equipoise": f"{__version__}, format {FORMAT}",
        "model": model,
        "mesh": mesh.model_dump_json(),
        "stepping": stepping.model_dump_json(),
        "jump": "none" if jump is None else jump,
        "until_retention": repr(None if driver.until is None else float(driver.until)),
        "traced cycles": _hash(
            None if driver.traced is None else sorted(driver.traced)
        ),
        "ageing": _hash((ageing.model_dump_json(), kinds)),
        "program": _hash((program.name, program.steps, program.skip_to, sweeps)),
        "cell": _hash(
            (
                cell.cell.spec.model_dump_json(),
                None if rates is None else rates.model_dump_json(),
            )
        ),
        "curves and volumes": _hash((machine.lowered, cell.around)),
    }


_SAID = {
    "mesh": "the mesh differs",
    "stepping": "the stepping differs",
    "jump": "the jumps differ (jump=...)",
    "traced cycles": "the traced cycles differ",
    "ageing": "the ageing parameters differ",
    "program": "the steps of the protocol differ",
    "cell": "the specification or the rates of the cell differ",
    "curves and volumes": "the curves or the volume data of the cell differ",
}


def _differences(there: Parts, here: Parts) -> list[str]:
    """What differs between two runs, in words."""
    other = [name for name, value in here.items() if there.get(name) != value]
    if {"model", "mesh", "cell", "equipoise"} & set(other):
        # What is lowered from the cell differs then as well, that tells nothing more.
        other = [name for name in other if name != "curves and volumes"]
    return [
        f"{name} is {there.get(name)} there, {here[name]} now"
        if name in _SPELT
        else _SAID[name]
        for name in other
    ]


def _hash(value: object) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(value):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(value: object) -> Iterator[bytes]:
    """Every number and text of nested tuples, dataclasses and arrays."""
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(cast("Array", value))
        yield f"{array.dtype.str}{array.shape}".encode()
        yield array.tobytes()
        return
    if is_dataclass(value) and not isinstance(value, type):
        value = tuple(getattr(value, f.name) for f in fields(value))
    elif isinstance(value, dict):
        value = tuple(cast("dict[Any, Any]", value).items())
    if isinstance(value, tuple | list):
        inner = cast("Sequence[object]", value)
        yield f"({len(inner)}".encode()
        for one in inner:
            yield from _pieces(one)
        return
    yield f"{value!r}\n".encode()


def _content(driver: Driver, snapshot: Snapshot, parts: Parts) -> bytes:
    """The file."""
    cell, rows = driver.cell, snapshot.rows_count
    states = [*driver.states[: snapshot.states_count], snapshot.state]
    impedances = cell.machine.impedances[: snapshot.impedances_count]
    samples = driver.samples[: snapshot.samples_count]
    arrays: Arrays = {
        "results": cell.machine.results[:rows],
        "records": np.array(cell.records[: snapshot.state.records_count]),
        "life": np.array(
            [
                snapshot.reference_coulomb,
                snapshot.level_retention,
                snapshot.last_retention,
            ]
        ),
        **({"samples": np.concatenate(samples)} if samples else {}),
        **_states_out(states),
        **_impedances_out(impedances),
    }
    about = {
        "kind": KIND,
        "parts": parts,
        "ended": snapshot.ended,
        "notes": [{k: float(v) for k, v in s.notes.items()} for s in states],
        "impedances": [_texts(found) for found in impedances],
        "jumper": None
        if snapshot.jumper is None
        else _jumper_out(snapshot.jumper, arrays),
    }
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # pyright: ignore[reportArgumentType]
    return stream.getvalue()


def _go_on(driver: Driver, about: dict[str, Any], arrays: Arrays) -> None:
    """Put the content of a file into a driver that has not begun."""
    cell = driver.cell
    *states, state = _states_in(arrays, about["notes"])
    cell.machine.results[: int(state.place[1])] = arrays["results"]
    cell.machine.impedances[:] = _impedances_in(arrays, about["impedances"])
    cell.records[:] = list(arrays["records"])
    driver.states[:] = states
    driver.samples[:] = [arrays["samples"]] if "samples" in arrays else []
    driver.rows_count = int(state.place[1])
    driver.reference_coulomb, driver.level, driver.retention = (
        float(v) for v in arrays["life"]
    )
    driver.reference_cycle = reference_of(
        cell.blocks, arrays["results"], arrays["records"].reshape(-1, len(Mark))
    )
    driver.ended = bool(about["ended"])
    cell.restore(state)
    if driver.jumper is not None:
        _jumper_in(driver.jumper, about["jumper"], arrays, driver.ended)


def _jumper_out(jumper: Jumper, arrays: Arrays) -> dict[str, Any]:
    """What it knows: numbers returned, arrays added to `arrays`."""
    about: dict[str, Any] = {
        "length": jumper.length,
        "since": jumper.since,
        "kind": jumper.kind,
        "taken_back_count": jumper.taken_back_count,
    }
    if jumper.before is not None:
        arrays["before"] = jumper.before
    if jumper.node is not None:
        about["node"], arrays["node_rate"] = jumper.node
    for name, pair in (("ends", jumper.ends), ("drift", jumper.drift)):
        if pair is not None:
            arrays[f"{name}_positive"], arrays[f"{name}_negative"] = pair
    trial = jumper.trial
    if trial is not None:
        about["trial"] = [trial.past, trial.length]
        arrays["trial"] = np.stack([trial.slow, trial.rate, trial.before, trial.sum])
    return about


def _jumper_in(
    jumper: Jumper, about: dict[str, Any], arrays: Arrays, ended: bool
) -> None:
    """The reverse; a jump that was on trial is made again."""
    jumper.length, jumper.since = int(about["length"]), int(about["since"])
    jumper.kind = int(about["kind"])
    jumper.taken_back_count = int(about["taken_back_count"])
    jumper.before = arrays.get("before")
    jumper.ends, jumper.drift = _pair(arrays, "ends"), _pair(arrays, "drift")
    if "node" in about:
        jumper.node = (int(about["node"]), arrays["node_rate"])
    if "trial" in about and not ended:
        cell, (past, length) = jumper.cell, about["trial"]
        slow, rate, before, total = arrays["trial"]
        second = cell.cycle_second()
        jumper.trial = Trial(
            cell.state(), slow, rate, before, past, length, total, second, jumper.drift
        )
        jumper.since, jumper.ends = 0, None
        cell.skip(length)
        jumper.before = set_slow_states(cell, slow + total, jumper.drift)


def _pair(arrays: Arrays, name: str) -> Ends | None:
    positive, negative = (arrays.get(f"{name}_{side}") for side in _SIDES)
    return None if positive is None or negative is None else (positive, negative)


def _states_out(states: list[AgedState]) -> Arrays:
    """Arrays of all states, state i at index i; laws one after the other."""
    arrays: Arrays = {
        "counts": np.array(
            [[s.cycle_count, s.records_count, s.laws.shape[0]] for s in states]
        ),
        "lost": np.array([[s.isolated_coulomb, s.slipped_coulomb] for s in states]),
        "memory": np.stack([s.memory for s in states]),
        "wear": np.stack([s.wear for s in states]),
        "place": np.stack([s.place for s in states]),
        "laws": np.concatenate([s.laws for s in states]),
    }
    for i, side in enumerate(_SIDES):
        arrays[f"{side}_loss"] = np.stack([s.charged_loss[i] for s in states])
        for name in Field._fields:
            arrays[f"{side}_{name}"] = np.stack(
                [getattr(getattr(s, side), name) for s in states]
            )
    return arrays


def _states_in(arrays: Arrays, notes: list[dict[str, float]]) -> list[AgedState]:
    found: list[AgedState] = []
    last = 0
    for i, (cycle, records, laws) in enumerate(arrays["counts"].tolist()):
        first, last = last, last + laws
        field = {
            side: Field(*(arrays[f"{side}_{name}"][i] for name in Field._fields))
            for side in _SIDES
        }
        isolated, slipped = arrays["lost"][i].tolist()
        found.append(
            AgedState(
                cycle,
                field["positive"],
                field["negative"],
                arrays["memory"][i],
                arrays["wear"][i],
                (arrays["positive_loss"][i], arrays["negative_loss"][i]),
                notes[i],
                isolated,
                slipped,
                arrays["place"][i],
                arrays["laws"][first:last],
                records,
            )
        )
    return found


_OHM = ("frequency_hertz", "positive_impedance_ohm", "negative_impedance_ohm")


def _texts(found: CellImpedance) -> dict[str, Any]:
    """All of an impedance but its arrays; JSON keeps every digit of a float."""
    names = [f.name for f in fields(found) if f.name not in _OHM]
    return {name: getattr(found, name) for name in names}


def _impedances_out(impedances: list[CellImpedance]) -> Arrays:
    """Their arrays, one after the other."""
    if not impedances:
        return {}
    arrays: Arrays = {
        name: np.concatenate([getattr(found, name) for found in impedances])
        for name in _OHM
    }
    arrays["points"] = np.array([found.frequency_hertz.size for found in impedances])
    return arrays


def _impedances_in(arrays: Arrays, about: list[dict[str, Any]]) -> list[CellImpedance]:
    found: list[CellImpedance] = []
    last = 0
    for i, texts in enumerate(about):
        first, last = last, last + int(arrays["points"][i])
        pieces: dict[str, Any] = {
            name: arrays[name][first:last].copy() for name in _OHM
        }
        for piece in pieces.values():
            piece.flags.writeable = False
        known = {**texts, "notes": tuple(texts["notes"])}
        found.append(CellImpedance(**known, **pieces))
    return found
