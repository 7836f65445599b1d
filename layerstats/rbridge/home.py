"""Where R lives, and the environment in which its worker starts."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from layerstats.errors import RNotFoundError

INSTALL_R = "apt-get install r-base-core r-cran-mgcv libopenblas0-pthread"
INSTALL_RPY2 = "pip install 'layerstats[r]'"


def find_r_home() -> Path:
    """Folder of the R installation: ``R_HOME`` where it is set, else what the ``R`` on the PATH says.

    Raises
    ------
    RNotFoundError
        If there is no R, with the command that installs it.
    """
    return _find_r_home(os.environ.get("R_HOME"), shutil.which("R"))


@functools.cache
def _find_r_home(variable: str | None, executable: str | None) -> Path:
    if variable:
        if not Path(variable).is_dir():
            raise RNotFoundError(f"The environment variable R_HOME is {variable!r}, which is not a folder. Unset it.")
        return Path(variable)
    if executable is None:
        raise RNotFoundError(f"R is not installed (no 'R' on the PATH). Install it with: {INSTALL_R}")
    answer = subprocess.run([executable, "RHOME"], capture_output=True, text=True, check=False)
    lines = [line for line in answer.stdout.splitlines() if line and not line.startswith("WARNING")]
    if answer.returncode != 0 or not lines:
        raise RNotFoundError(f"'{executable} RHOME' failed ({answer.stderr.strip()}). Reinstall R with: {INSTALL_R}")
    return Path(lines[0].strip())


def worker_environment() -> dict[str, str]:
    """Environment variables of a worker: R found, one BLAS thread, messages in English, text in UTF-8.

    Raises
    ------
    RNotFoundError
        If there is no R.
    """
    home = find_r_home()
    environment = dict(os.environ)
    environment["R_HOME"] = str(home)
    # Without this rpy2 tries its compiled interface first and prints that it is not there.
    environment.setdefault("RPY2_CFFI_MODE", "ABI")
    # Several fits run side by side, and a second BLAS thread makes mgcv slower, not faster.
    environment.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    environment |= _locale()
    # LC_ALL would be stronger than these; without its default packages R lacks mgcv's own needs.
    for variable in ("LC_ALL", "R_DEFAULT_PACKAGES"):
        environment.pop(variable, None)
    # A user's .Rprofile may load anything; results must not depend on it.
    environment["R_PROFILE_USER"] = os.devnull
    environment["LD_LIBRARY_PATH"] = _joined(str(home / "lib"), environment.get("LD_LIBRARY_PATH"))
    # A checkout that is not installed must be found by its workers too.
    package_root = Path(__file__).resolve().parents[2]
    if package_root.name not in ("site-packages", "dist-packages"):
        environment["PYTHONPATH"] = _joined(environment.get("PYTHONPATH"), str(package_root))
    return environment


def _locale() -> dict[str, str]:
    """Return the locale of a worker, whatever the shell has.

    Text in UTF-8, so that columns and levels in any script reach R; sorted by code point, as in Python; messages in
    English, since running out of memory is recognised by R's message.
    """
    # The one that every macOS has, and the one that glibc and musl have built in: the shell's may not be installed.
    characters = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    return {"LC_CTYPE": characters, "LC_COLLATE": "C", "LC_NUMERIC": "C", "LANG": "C", "LANGUAGE": "en"}


def _joined(*parts: str | None) -> str:
    return os.pathsep.join(part for part in parts if part)
