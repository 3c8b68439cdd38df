"""The one decorator of the kernels, with a cache that notices every edit.

numba's own cache keeps serving old machine code when a jitted function *in
another file* changes. The cache folder is therefore keyed by a hash of all
kernel sources; the setting is put back so that other packages keep their own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numba
from numba import njit

_ROOM_BYTES = 8_000_000  # all compiled kernels together take less


def _sources_hash() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> str:
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(home) if home else Path.home() / ".cache"
        folder = base / "equipoise" / f"kernels-{_sources_hash()}"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if shutil.disk_usage(folder).free < _ROOM_BYTES:
            folder = _temporary_folder()
    except (OSError, RuntimeError):  # read-only or absent home
        folder = _temporary_folder()
    _drop_broken(folder)
    return str(folder)


def _drop_broken(folder: Path) -> None:
    """Remove cache files that a full disk or a crash cut short.

    They are pickles: whole ones end in the STOP opcode, a full stop.
    """
    for path in (*folder.glob("*.nbi"), *folder.glob("*.nbc")):
        try:
            with path.open("rb") as stream:
                stream.seek(0, os.SEEK_END)
                empty = stream.tell() == 0
                if not empty:
                    stream.seek(-1, os.SEEK_END)
                if empty or stream.read(1) != b".":
                    path.unlink()
        except OSError:
            continue


def _temporary_folder() -> Path:
    """A folder of this user alone, kept for the next run where the system does."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"equipoise-{user}-{_sources_hash()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or (user and folder.stat().st_uid != user):
            raise PermissionError
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="equipoise-kernels-"))
    return folder


CACHE_FOLDER = _cache_folder()


def kernel(function):
    """Compile `function`: cached, no GIL, IEEE division, no fast-math.

    Without numba's reference counts (`_nrt`): kernels do not allocate, and counting
    the arrays handed from kernel to kernel takes longer than some kernels.
    """
    return _compiled(function)


def inner_kernel(function):
    """Compile `function` into its callers; for kernels that one other calls."""
    return _compiled(function, forceinline=True)


def merged_kernel(function):
    """Merge `function` into its callers before they are compiled.

    It is not compiled by itself, which saves the time of doing it twice: for the
    large kernels that one other calls once.
    """
    return _compiled(function, inline="always")


def _compiled(function, **options):
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = CACHE_FOLDER
    try:
        return njit(cache=True, nogil=True, error_model="numpy", _nrt=False, **options)(
            function
        )
    finally:
        numba.config.CACHE_DIR = before
