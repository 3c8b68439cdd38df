"""Reading a TOML file with errors a user can act on."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from equipoise.core.errors import SpecError


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file.

    Raises
    ------
    SpecError
        If the path is a folder, absent, empty, not UTF-8 text or not TOML.
    """
    try:
        if path.is_dir():
            raise SpecError(
                "this is a folder, a TOML file was expected",
                where=str(path),
                remedy="name the file inside it",
            )
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise SpecError(
            "there is no such file", where=str(path), remedy="check the path"
        ) from None
    except UnicodeDecodeError as error:
        raise SpecError(
            f"not UTF-8 text (byte {error.start}: {error.object[error.start]:#04x})",
            where=str(path),
            remedy="save the file as UTF-8; a cell file is TOML text",
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise SpecError(f"cannot be read ({reason})", where=str(path)) from None
    if not text.strip():
        raise SpecError(
            "the file is empty",
            where=str(path),
            remedy="start from 'equipoise library zhang2026-lb --toml'",
        )
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SpecError("the brackets are nested too deeply", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(
            f"not valid TOML: {error}",
            where=str(path),
            remedy="decimal points, quoted text, one key = value a line",
        ) from None
