"""What of R works here, and the commands that mend what does not."""

from __future__ import annotations

from dataclasses import dataclass

from layerstats.errors import RError, RNotFoundError
from layerstats.rbridge.home import find_r_home
from layerstats.rbridge.session import RSession

# R's own sources, an unoptimised library; mgcv spends nearly all of its time there.
_REFERENCE_BLAS = ("libRblas", "/blas/libblas")
_INSTALL_OPENBLAS = "apt-get install libopenblas0-pthread"


@dataclass(frozen=True)
class RStatus:
    """What of R is there.

    Attributes
    ----------
    works
        Whether models can be fitted with mgcv.
    r_home, r_version, mgcv_version, lme4_version, ordinal_version, rpy2_version
        None where it is not there.
    blas
        File of the linear algebra library that R uses.
    problem
        What does not work, or works slowly; None where there is nothing to mend.
    mend
        The command that mends it, where there is one.

    Examples
    --------
    >>> RStatus(works=False).mgcv_version is None
    True
    """

    works: bool
    r_home: str | None = None
    r_version: str | None = None
    mgcv_version: str | None = None
    lme4_version: str | None = None
    ordinal_version: str | None = None
    rpy2_version: str | None = None
    blas: str | None = None
    problem: str | None = None
    mend: str | None = None


def r_status() -> RStatus:
    """Look at R, its packages, rpy2 and the linear algebra library, by a worker; never raises for what is missing.

    Returns
    -------
    RStatus
        For instance for the table of ``layerstats doctor``.

    Examples
    --------
    >>> status = r_status()  # which starts R, where it is
    >>> status.works == (not status.problem)
    True
    """
    try:
        home = str(find_r_home())
    except RNotFoundError as error:
        return RStatus(works=False, problem=str(error), mend=_command_in(error))
    try:
        with RSession(timeout_s=60) as session:
            versions = session.call("bridge_versions").value
    except RError as error:
        return RStatus(works=False, r_home=home, problem=str(error), mend=_command_in(error))
    slow = any(name in versions["blas"] for name in _REFERENCE_BLAS)
    return RStatus(
        works=True,
        r_home=home,
        r_version=versions["R"],
        mgcv_version=versions["mgcv"],
        lme4_version=versions["lme4"],
        ordinal_version=versions["ordinal"],
        rpy2_version=_rpy2_version(),
        blas=versions["blas"],
        problem="R uses the reference BLAS; with OpenBLAS mgcv is about five times faster" if slow else None,
        mend=_INSTALL_OPENBLAS if slow else None,
    )


def _command_in(error: RError) -> str | None:
    return str(error).partition("with: ")[2] or None


def _rpy2_version() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("rpy2")
    except PackageNotFoundError:
        return None
