"""One figure of an engine benchmark: cost against error, size, and batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

OURS, THEIRS, DFN, SPM = "#0b6e99", "#c8553d", "#0b6e99", "#6a994e"
NAMES = {"dfn": "DFN", "spm": "SPM"}


def draw(result: dict, path: Path) -> None:
    """Write the figure."""
    plain = {
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "legend.frameon": False,
        "lines.markersize": 4,
    }
    with mpl.rc_context(plain):
        figure, axes = plt.subplots(2, 3, figsize=(11, 6.6), layout="constrained")
        _precision(axes[0, 0], result, "dfn")
        _precision(axes[0, 1], result, "spm")
        _sizes(axes[0, 2], result, "nodes", "nodes per electrode")
        _sizes(axes[1, 0], result, "shells", "shells per particle")
        _substeps(axes[1, 1], result)
        _batches(axes[1, 2], result)
        figure.savefig(path, dpi=140, metadata={"Software": "equipoise"})
        plt.close(figure)


def _plain(*sides: Axis) -> None:
    """Logarithmic, with plain numbers at 1, 2 and 5."""
    for side in sides:
        side.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        side.set_minor_locator(NullLocator())
        side.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def _precision(axes: Axes, result: dict, model: str) -> None:
    found = result["one_cycle"][model]
    defaults = result["our_default_volt"], list(result["their_default"])
    for key, name, colour, default in (
        ("ours", "equipoise", OURS, defaults[0]),
        ("theirs", "PyBaMM, compiled", THEIRS, defaults[1]),
    ):
        x = [abs(r["capacity_relative"][1]) for r in found[key]]
        y = [r["cpu_ms"]["median"] for r in found[key]]
        axes.loglog(x, y, "o-", lw=1, color=colour, label=name)
        for r, a, b in zip(found[key], x, y, strict=True):
            own = r["tolerance"]
            if (list(own) if isinstance(own, tuple | list) else own) == default:
                axes.plot(a, b, "o", ms=9, mfc="none", mec=colour)
    _plain(axes.yaxis)
    axes.set_title(f"{NAMES[model]}: cost against error (ring: default)")
    axes.set_xlabel("relative error of discharge capacity")
    axes.set_ylabel("CPU time of a 1C cycle / ms")
    axes.legend()


def _sizes(axes: Axes, result: dict, kind: str, label: str) -> None:
    for model, colour in (("dfn", DFN), ("spm", SPM)):
        rungs = result["scaling"].get(f"{model} {kind}")
        if rungs is None:
            continue
        x = [r["value"] for r in rungs]
        y = [r["cpu_ms"]["median"] for r in rungs]
        axes.loglog(x, y, "o-", color=colour, label=NAMES[model])
    axes.set_xticks(x, [f"{v:g}" for v in x])
    axes.minorticks_off()
    _plain(axes.yaxis)
    axes.set_title(f"Cost against {kind}")
    axes.set_xlabel(label)
    axes.set_ylabel("CPU time of a 1C cycle / ms")
    axes.legend()


def _substeps(axes: Axes, result: dict) -> None:
    for model, colour in (("dfn", DFN), ("spm", SPM)):
        rungs = result["scaling"][f"{model} tolerance"]
        x = [r["substeps"] for r in rungs]
        y = [r["cpu_ms"]["median"] for r in rungs]
        axes.loglog(x, y, "o-", color=colour, label=NAMES[model])
        if model == "dfn":
            for r, a, b in list(zip(rungs, x, y, strict=True))[1:]:
                axes.annotate(
                    f"{r['value']:.0e} V".replace("e-0", "e-"),
                    (a, b),
                    xytext=(-5, 4),
                    textcoords="offset points",
                    ha="right",
                    fontsize=7,
                )
    _plain(axes.xaxis, axes.yaxis)
    axes.set_title("Cost against substeps (by tolerance)")
    axes.set_xlabel("substeps of a 1C cycle")
    axes.set_ylabel("CPU time of a 1C cycle / ms")
    axes.margins(x=0.15)
    axes.legend(loc="lower right")


def _batches(axes: Axes, result: dict) -> None:
    rungs = result["batches"]
    x = [r["cells"] for r in rungs]
    for key, name, colour in (
        ("wall_ms_1_worker", "1 worker", OURS),
        ("wall_ms_2_workers", "2 workers", THEIRS),
    ):
        cycles = [r["cells"] * r["cycles_each"] for r in rungs]
        y = [1e3 * n / r[key]["median"] for n, r in zip(cycles, rungs, strict=True)]
        axes.plot(x, y, "o-", color=colour, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(x, [f"{v:g}" for v in x])
    axes.set_ylim(bottom=0)
    axes.set_title("simulate_many, LB cells")
    axes.set_xlabel("cells in the batch")
    axes.set_ylabel("DFN cycles per second (wall)")
    axes.legend(loc="lower right")
