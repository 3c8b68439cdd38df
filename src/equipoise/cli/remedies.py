"""Messages of the library in the words of a command: options, not arguments."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from equipoise.core.errors import EquipoiseError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

READING = {
    "area_cm2": "--area-cm2",
    "imaginary_sign": "--imaginary-sign",
    "frequency_unit": "--frequency-unit",
    "impedance_unit": "--impedance-unit",
    "decimal": "--decimal",
    "repair": "--repair",
}
"""Arguments of `read_spectra`, and their options."""
_LIST = re.compile(r"""\brepair=\[['"]([a-z-]+)['"]\]""")


def in_options(text: str, options: Mapping[str, str], *, bare: bool = False) -> str:
    """A text with options in place of arguments.

    Parameters
    ----------
    options
        Argument, or other words of Python -> what the command calls it.
    bare
        Also where the name of an argument stands alone, without an equals sign.

    Examples
    --------
    >>> in_options("say decimal=',' or area_cm2=, as usual", READING)
    "say --decimal ',' or --area-cm2, as usual"
    """
    text = _LIST.sub(r"--repair \1", text)
    for name, option in options.items():
        if not name.isidentifier():
            text = text.replace(name, option)
            continue
        text = re.sub(rf"\b{name} ?= ?(?=[^\s,;])", f"{option} ", text)
        text = re.sub(rf"\b{name} ?=", option, text)
        if bare and "_" in name:
            text = re.sub(rf"(?<![-\w'\"]){name}\b(?!['\"])", option, text)
    return text


def translated(error: EquipoiseError, options: Mapping[str, str]) -> EquipoiseError:
    """An error, changed in place, that speaks of options."""
    error.message = in_options(error.message, options)
    error.remedy = in_options(error.remedy, options, bare=True)
    error.where = options.get(error.where, error.where)
    return error


@contextmanager
def told_in_options(options: Mapping[str, str]) -> Generator[None]:
    """Errors and warnings that are raised inside speak of options."""
    before = warnings.showwarning

    def show(message: Warning | str, *rest: object, **more: object) -> None:
        text = in_options(str(message), options, bare=True)
        changed = type(message)(text) if isinstance(message, Warning) else text
        before(changed, *rest, **more)  # pyright: ignore[reportArgumentType]

    warnings.showwarning = show
    try:
        yield
    except EquipoiseError as error:
        translated(error, options)
        raise
    finally:
        warnings.showwarning = before
