"""Linear algebra on one thread, for code that multiplies many small matrices."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any


def one_blas_thread(when: bool = True) -> AbstractContextManager[Any]:
    """Return a context in which BLAS starts no threads of its own; afterwards it has those that it had before.

    On matrices of some tens of columns its threads gain nothing, and where other work fills the cores they wait for
    each other a hundred times longer than they compute.

    Parameters
    ----------
    when
        False changes nothing: for matrices that are large enough to gain.

    Examples
    --------
    >>> import numpy as np
    >>> with one_blas_thread():
    ...     float(np.linalg.det(np.eye(3)))
    1.0
    """
    if not when:
        return nullcontext()
    from threadpoolctl import get_cached_controller

    return get_cached_controller().limit(limits=1, user_api="blas")


__all__ = ["one_blas_thread"]
