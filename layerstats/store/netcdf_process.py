"""netCDF in a process of its own: the HDF5 library ends its process where the disk is full."""

from __future__ import annotations

import errno
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from layerstats.errors import LayerstatsError, StoreError
from layerstats.store.selection import Selection

# -P: a file of the user's folder must not stand in for a module.
_COMMAND = [sys.executable, "-P", "-m", "layerstats.store.netcdf_process"]
# Less than HDF5 writes at once: where no more than this is free, the disk was full.
_FULL_BYTES = 2**20


def write_netcdf_apart(recordings: Sequence[Selection], file: Path) -> None:
    """Write the same selection in one recording or several as netCDF by `write_groups` in a child process.

    Raises
    ------
    OSError
        The system's reason why the file could not be written.
    StoreError
        The store is damaged, or the process ended for another reason.
    """
    done = subprocess.run(
        _COMMAND, input=pickle.dumps((recordings, file)), capture_output=True, check=False, env=_environment()
    )
    if done.returncode == 0:
        return
    if done.stdout:
        raise pickle.loads(done.stdout)
    stderr = done.stderr.decode("utf-8", errors="replace")
    code = _code_in(stderr)
    if code is not None:
        raise OSError(code, os.strerror(code), str(file))
    if done.returncode < 0 and shutil.disk_usage(file.parent).free < _FULL_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    said = stderr.strip().splitlines()
    how = signal.strsignal(-done.returncode) if done.returncode < 0 else f"status {done.returncode}"
    raise StoreError(
        f"The process that writes {file} ended ({how}{': ' + said[-1] if said else ''}). Export as Parquet or CSV, or "
        "report this."
    )


def _environment() -> dict[str, str]:
    # A checkout that is not installed must be found by its child too.
    root = Path(__file__).resolve().parents[2]
    paths = [os.environ.get("PYTHONPATH"), str(root) if root.name not in ("site-packages", "dist-packages") else None]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def _main() -> None:
    import h5netcdf

    from layerstats.store.netcdf import write_groups

    recordings, file = pickle.load(sys.stdin.buffer)
    try:
        # Not closed on an error: closing is where HDF5 breaks down.
        root = h5netcdf.File(file, "w")
        write_groups(root, recordings)
        root.close()
    except LayerstatsError as error:
        _answer(type(error)(str(error)))
    except (OSError, RuntimeError) as error:
        code = getattr(error, "errno", None) or _code_in(str(error))
        if code is None:
            raise
        _answer(OSError(code, os.strerror(code), str(file)))


def _code_in(message: str) -> int | None:
    """Return the system's number in a message of HDF5."""
    found = re.search(r"errno = (\d+)", message)
    return int(found[1]) if found else None


def _answer(error: Exception) -> NoReturn:
    sys.stdout.buffer.write(pickle.dumps(error))
    sys.stdout.buffer.flush()
    os._exit(1)


if __name__ == "__main__":
    _main()
