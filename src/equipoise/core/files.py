"""Writing files so that nothing is ever half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from equipoise.core.errors import StoreError

_UMASK = os.umask(0)
os.umask(_UMASK)  # asked once: it can only be read by setting it, for all threads


def output_folder(path: str | Path) -> Path:
    """Create and return a folder that can be written to.

    Raises
    ------
    StoreError
        If the path is a file, or the folder cannot be created or written.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-"):
            pass
    except (FileExistsError, NotADirectoryError):
        raise StoreError(
            "the output path is a file, a folder was expected",
            where=str(folder),
            remedy="give --out the name of a folder",
        ) from None
    except OSError as error:
        raise StoreError(
            f"cannot write into this folder ({error.strerror or error})",
            where=str(folder),
            remedy="choose a folder you may write to with --out",
        ) from None
    return folder


def write_atomic(path: str | Path, content: str | bytes) -> Path:
    """Write `content` to `path` by way of a temporary file beside it.

    A reader, or a process killed at any moment, sees the old file or the whole
    new one.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    target = Path(path)
    raw = (
        content.encode("utf-8", errors="replace")
        if isinstance(content, str)
        else content
    )
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}."
        )
        with os.fdopen(handle, "wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_UMASK)
        Path(temporary).replace(target)
    except BaseException as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise StoreError(
            f"cannot write this file ({error.strerror or error})",
            where=str(target),
            remedy="choose another place with --out",
        ) from None
    return target
