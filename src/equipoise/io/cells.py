"""Load a cell: its TOML, its materials and its half-cell curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.core.errors import SpecError, nearest
from equipoise.core.units import words
from equipoise.io.halfcells import load_half_cell, read_half_cell
from equipoise.io.kinetics import load_kinetics
from equipoise.io.toml_file import read_toml
from equipoise.spec import library
from equipoise.spec.cell import Cell, CellSpec, Component
from equipoise.spec.curve_file import CurveFile
from equipoise.spec.electrode import (
    Electrode,
    ElectrodeSpec,
    solid_density_g_per_cm3,
)
from equipoise.spec.half_cell_spec import HalfCellSetup, HalfCellSpec
from equipoise.spec.material import ConstantCurve, Material, TailedPlateau
from equipoise.spec.open_circuit import half_cell
from equipoise.spec.provenance import Evidence, Sourced
from equipoise.spec.validation import validated

if TYPE_CHECKING:
    from equipoise.spec.curve import HalfCell
    from equipoise.spec.kinetics import CellKinetics


_KIND = {"cells": "full cell", "half_cells": "half cell"}


def load_cell(name_or_path: str | Path) -> Cell:
    """Load a full cell from the library or from a TOML file.

    Parameters
    ----------
    name_or_path
        Name of a bundled cell (``zhang2026-lb``) or path of a ``.toml`` file;
        curve files in it are relative to its folder.

    Raises
    ------
    SpecError
        If the file or a key in it is wrong.
    DataError
        If a half-cell curve file is wrong.
    """
    content, where, folder = _content(name_or_path, "cells")
    if "working" in content:
        raise SpecError(
            "this is a half cell (it has a [working] electrode), a full cell was "
            "expected",
            where=where,
            remedy="use load_half_cell_setup, or 'equipoise design' which takes both",
        )
    spec = validated(CellSpec, content, where=where)
    return Cell(
        spec,
        _electrode(spec.positive, spec.components, folder, where, "positive"),
        _electrode(spec.negative, spec.components, folder, where, "negative"),
        _separator(spec.separator.material, where),
        where,
        _kinetics(spec.kinetics, folder, where),
        "" if where.startswith("library: ") else str(folder.resolve()),
    )


def load_half_cell_setup(name_or_path: str | Path) -> HalfCellSetup:
    """Load a half cell from the library or from a TOML file; see `load_cell`."""
    content, where, folder = _content(name_or_path, "half_cells")
    spec = validated(HalfCellSpec, content, where=where)
    counter = _known(spec.counter, f"{where}: counter")
    if not isinstance(counter.open_circuit, ConstantCurve):
        raise SpecError(
            f"{spec.counter!r} has no constant potential",
            where=f"{where}: counter",
            remedy="use 'li' or 'in_inli'",
        )
    return HalfCellSetup(
        spec,
        _electrode(spec.working, spec.components, folder, where, "working"),
        counter,
        counter.open_circuit.potential_vs_li_volt,
        where,
        _kinetics(spec.kinetics, folder, where),
    )


def is_half_cell(name_or_path: str | Path) -> bool:
    """Whether a name or file describes a half cell."""
    if str(name_or_path) in library.names("half_cells"):
        return True
    if str(name_or_path) in library.names("cells"):
        return False
    return "working" in _content(name_or_path, "cells")[0]


def with_positive(cell: Cell, material: str) -> Cell:
    """The same recipe with another positive active material of the library or a file.

    The mass fraction goes to the new material; its own balancing capacity, lock
    and volume data replace those of the old one, n/p is kept. So are the kinetics:
    those of the positive are still the old material's.
    """
    from dataclasses import replace

    old = cell.spec.positive
    name = Path(material).name.removesuffix(".toml")
    fractions = {
        (name if key == old.material_name else key): part
        for key, part in old.mass_fractions.items()
    }
    positive = old.model_copy(
        update={
            "material": material,
            "mass_fractions": fractions,
            "volume_variant": None,
            "locked_capacity_mah_per_g": None,
        }
    )
    electrode = _electrode(
        positive, cell.spec.components, Path.cwd(), material, "positive"
    )
    if name != old.material_name and name in old.mass_fractions:
        raise SpecError(
            f"{name!r} is already a part of the positive electrode",
            where=f"{cell.where or cell.name}: positive.mass_fractions",
            remedy="give the file of the active material another name",
        )
    balance = cell.spec.balance.model_copy(
        update={"positive_capacity_mah_per_g": None, "np_ratio": cell.np_ratio}
    )
    negative = cell.spec.negative.model_copy(
        update={"loading_mg_per_cm2": None, "composite_mass_mg": None}
    )
    spec = cell.spec.model_copy(
        update={
            "positive": positive,
            "negative": negative,
            "balance": balance,
            "one_c_ma_per_g_positive": None,
        }
    )
    return replace(
        cell,
        spec=spec,
        positive=electrode,
        negative=replace(cell.negative, spec=negative),
    )


def _content(name_or_path: str | Path, kind: str) -> tuple[dict[str, Any], str, Path]:
    text = str(name_or_path)
    if text in library.names(kind):
        return library.read(kind, text), f"library: {text}", Path.cwd()
    if not text.strip():
        raise SpecError(
            "no cell is named", remedy="give a bundled cell or a .toml file"
        )
    path = Path(name_or_path)
    if _exists(path) or path.suffix == ".toml" or "/" in text:
        return read_toml(path), text, path.parent
    other = "half_cells" if kind == "cells" else "cells"
    if text in library.names(other):
        raise SpecError(
            f"{text!r} is a bundled {_KIND[other]}, a {_KIND[kind]} was expected",
            remedy=f"there are: {', '.join(library.names(kind))}",
        )
    known = (*library.names("cells"), *library.names("half_cells"))
    raise SpecError(
        f"{text!r} is neither a bundled cell nor a file",
        remedy=f"{nearest(text, known)}, or give the path of a .toml file",
    )


def _kinetics(
    given: str | dict[str, Any] | None, folder: Path, where: str
) -> CellKinetics | None:
    if given is None:
        return None
    return load_kinetics(given, folder=folder, where=f"{where}: kinetics")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # e.g. a name longer than file names can be
        return False


def _electrode(
    spec: ElectrodeSpec,
    components: dict[str, Component],
    folder: Path,
    where: str,
    side: str,
) -> Electrode:
    material, curves = _material(spec.material, folder, where, side)
    expected = "delithiated" if side == "positive" else "lithiated"
    if side != "working" and curves.axis != expected:
        raise SpecError(
            f"{material.name!r} is a {material.kind} material and cannot be the "
            f"{side} electrode of a full cell",
            where=f"{where}: {side}.material",
            remedy="the positive is built lithiated, the negative without lithium",
        )
    if spec.material_name not in spec.mass_fractions:
        raise SpecError(
            f"the active material {spec.material_name!r} is not among the parts of "
            f"the electrode: {', '.join(spec.mass_fractions)}",
            where=f"{where}: {side}.mass_fractions",
            remedy=f"add {spec.material_name} = ... ; the parts add up to 1 or 100",
        )
    densities = {spec.material_name: material.density_g_per_cm3.value}
    for name in spec.mass_fractions:
        if name in densities:
            continue
        if name in components:
            densities[name] = components[name].density_g_per_cm3
        elif name in library.names("materials"):
            densities[name] = library.material(name).density_g_per_cm3.value
        else:
            known = {*library.names("materials"), *components}
            raise SpecError(
                f"unknown component {name!r}; {nearest(name, known)}",
                where=f"{where}: {side}.mass_fractions",
                remedy=f"or declare it: [components.{name}] density_g_per_cm3 = ...",
            )
    density = solid_density_g_per_cm3(spec.fractions, densities)
    return Electrode(spec, material, curves, density, _variants(material))


def _material(
    material: str | CurveFile, folder: Path, where: str, side: str
) -> tuple[Material, HalfCell]:
    if isinstance(material, CurveFile):
        curves = read_half_cell(material, folder=folder)
        return _declared(material, f"{where}: {side}.material"), curves
    if material.endswith(".toml"):
        declared, curves = load_half_cell(folder / material)
        return _declared(declared, material), curves
    known = _known(material, f"{where}: {side}.material")
    if known.open_circuit is None:
        raise SpecError(
            f"{material!r} (kind: {known.kind}) has no open-circuit curve",
            where=f"{where}: {side}.material",
            remedy="choose an electrode material: "
            + ", ".join(n for n in library.names("materials") if _is_active(n)),
        )
    return known, half_cell(material, known.open_circuit)


def _known(name: str, where: str) -> Material:
    if name not in library.names("materials"):
        raise SpecError(
            f"there is no material {name!r} in the library",
            where=where,
            remedy=f"{nearest(name, library.names('materials'))}; or give a .toml file "
            "that declares a measured curve",
        )
    return library.material(name)


def _is_active(name: str) -> bool:
    return library.material(name).kind in ("positive", "negative")


def _variants(material: Material) -> dict[str, HalfCell]:
    form = material.open_circuit
    if not isinstance(form, TailedPlateau):
        return {}
    keys = ("tail_height_volt", "tail_width_fraction")
    return {
        v.name: half_cell(
            material.name,
            form.model_copy(update={k: getattr(v, k) for k in keys}),
        )
        for v in form.variants
    }


def _declared(declared: CurveFile, where: str) -> Material:
    """A `Material` for a user's own curve: declared numbers over those of `like`."""
    given = {
        key: Sourced(value=value, source=declared.source, evidence=Evidence.USER)
        for key in (
            "density_g_per_cm3",
            "balancing_capacity_mah_per_g",
            "one_c_ma_per_g",
            "locked_capacity_mah_per_g",
        )
        if (value := getattr(declared, key)) is not None
    }
    own = {"name": declared.name, "title": declared.name, "open_circuit": None}
    if declared.like is not None:
        like = _known(declared.like, f"{where}.like")
        if declared.lithiation is not None and declared.delithiation is not None:
            # both branches are measured: where the discharge ends is known
            like = like.model_copy(update={"locked_capacity_mah_per_g": None})
        return like.model_copy(
            update=own
            | given
            | {
                "caveats": (_taken_over(like, given), *_assumed_axis(declared)),
                "alternative_open_circuit": {},
            }
        )
    if "density_g_per_cm3" not in given:
        raise SpecError(
            "density_g_per_cm3 is missing (needed for thicknesses)",
            where=where,
            remedy='give it, or take it from the library with like = "ncm85"',
        )
    return Material(**own, kind=declared.role, **given)  # pyright: ignore[reportArgumentType]


def _assumed_axis(declared: CurveFile) -> tuple[str, ...]:
    units = {b.capacity_unit for b in declared.branches.values()}
    if "normalised" not in units:
        return ()
    return ("the capacity axis is declared (normalised x span), not measured",)


def _taken_over(like: Material, given: dict[str, Sourced]) -> str:
    """What a user's material has from the library: said with every design."""
    numbers = [
        words(key).replace(" vs li", "")
        for key in (
            "density_g_per_cm3",
            "balancing_capacity_mah_per_g",
            "one_c_ma_per_g",
            "theoretical_capacity_mah_per_g",
            "locked_capacity_mah_per_g",
            "locked_at_vs_li_volt",
            "first_lithiation_loss_mah_per_g",
            "h2h3_onset_vs_li_volt",
        )
        if key not in given and getattr(like, key) is not None
    ]
    if like.volume_change:
        numbers.append("volume change")
    return f"taken over from {like.name}: {', '.join(numbers) or 'nothing'}"


def _separator(name: str, where: str) -> Material:
    material = _known(name, f"{where}: separator.material")
    if material.kind != "electrolyte":
        raise SpecError(
            f"{name!r} is not an electrolyte but of kind {material.kind!r}",
            where=f"{where}: separator.material",
            remedy="use 'lpscl'",
        )
    return material
