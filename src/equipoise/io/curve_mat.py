"""Two columns out of a MATLAB file (version 5): fields of a struct, or variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from equipoise.core.errors import DataError, nearest
from equipoise.io.curve_csv import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def read_mat_columns(
    path: Path, *, columns: tuple[str, str], struct: str | None = None
) -> tuple[Array, Array]:
    """Read two vectors of a MATLAB file.

    Parameters
    ----------
    columns
        Fields of the struct; names of variables if the file has no struct.
    struct
        Which one, if there are several.

    Raises
    ------
    DataError
        If the file is not MATLAB 5, or a struct or field is missing or not numeric.
    """
    table, owner = _table(path, _variables(path), struct)
    first, second = (_vector(path, table, name, owner) for name in columns)
    return first, second


def _variables(path: Path) -> dict[str, Any]:
    head = read_bytes(path)[:128]
    if head.startswith((b"MATLAB 7.3", b"\x89HDF")):
        raise DataError(
            "this is a MATLAB 7.3 (HDF5) file, only version 5 is read",
            where=str(path),
            remedy="in MATLAB: save(file, 'name', '-v7'), or export a CSV",
        )
    from scipy.io import loadmat

    try:
        content = loadmat(path, simplify_cells=True)
    except Exception as error:  # scipy raises many kinds on bad bytes
        raise DataError(
            f"this is not a readable MATLAB file ({type(error).__name__}: {error})",
            where=str(path),
            remedy="in MATLAB: save(file, 'name', '-v7'), or export a CSV",
        ) from None
    return {k: v for k, v in content.items() if not k.startswith("__")}


def _table(
    path: Path, variables: dict[str, Any], struct: str | None
) -> tuple[dict[str, Any], str]:
    structs = {
        k: cast("dict[str, Any]", v)
        for k, v in variables.items()
        if isinstance(v, dict)
    }
    if struct is not None:
        if struct not in structs:
            raise DataError(
                f"there is no struct {struct!r}",
                where=str(path),
                remedy=nearest(struct, structs) if structs else "the file has none",
            )
        return structs[struct], f"struct {struct!r}"
    if len(structs) > 1:
        raise DataError(
            f"the file holds {len(structs)} structs: {', '.join(sorted(structs))}",
            where=str(path),
            remedy='choose one: struct = "..."',
        )
    for name, fields in structs.items():
        return fields, f"struct {name!r}"
    return variables, "the file"


def _vector(path: Path, table: dict[str, Any], name: str, owner: str) -> Array:
    if name not in table:
        raise DataError(
            f"{owner} has no field {name!r}",
            where=str(path),
            remedy=nearest(name, table) if table else "it is empty",
        )
    values = np.asarray(table[name])
    if np.iscomplexobj(values) or sum(n > 1 for n in values.shape) > 1:
        kind = "complex" if np.iscomplexobj(values) else f"of shape {values.shape}"
        raise DataError(
            f"field {name!r} of {owner} is {kind}, one vector of real numbers was "
            "expected",
            where=str(path),
            remedy="save one half-cycle of one cell as two vectors",
        )
    try:
        return np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise DataError(
            f"field {name!r} of {owner} is not a vector of numbers", where=str(path)
        ) from None
