"""Where batched linear algebra runs: numpy, or torch on a CPU or GPU. No other file of the statistics imports torch.

The other files of this folder call what numpy and torch have in common (``@``, ``exp``, ``sum(axis)``, indexing) on
whatever arrays they are given, and come here for the rest.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from layerstats.checks import require
from layerstats.errors import ArgumentError

# An array of the backend: (channel, ...) in float64.
Array = Any


class Backend(Protocol):
    """What the fits of this folder need beyond operators."""

    name: str

    def array(self, values: np.ndarray) -> Array:
        """Return `values` as an array of the backend."""
        ...

    def numpy(self, values: Array) -> np.ndarray:
        """Return an array of the backend as numpy's."""
        ...

    def log(self, values: Array) -> Array:
        """Return the natural logarithm."""
        ...

    def exp(self, values: Array) -> Array:
        """Return the exponential."""
        ...

    def zeros(self, *shape: int) -> Array:
        """Return zeros."""
        ...

    def cholesky(self, matrices: Array) -> Array:
        """Return lower Cholesky factors of (..., n, n); NaN for matrices that are not positive definite."""
        ...

    def inverse(self, matrices: Array, factors: Array) -> Array:
        """Return the inverses of (..., n, n), given their Cholesky factors; NaN where these are."""
        ...


class NumpyBackend:
    """numpy, on the CPU."""

    name = "numpy"

    def array(self, values: np.ndarray) -> Array:
        """Return `values` in float64 or as indices."""
        return values if values.dtype.kind in "iub" else np.ascontiguousarray(values, dtype=np.float64)

    def numpy(self, values: Array) -> np.ndarray:
        """Return `values`."""
        return values

    def log(self, values: Array) -> Array:
        """Return the natural logarithm; NaN of negative numbers."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(values)

    def exp(self, values: Array) -> Array:
        """Return the exponential."""
        with np.errstate(over="ignore"):
            return np.exp(values)

    def zeros(self, *shape: int) -> Array:
        """Return zeros."""
        return np.zeros(shape)

    def cholesky(self, matrices: Array) -> Array:
        """Return lower Cholesky factors; NaN for matrices that are not positive definite."""
        try:
            return np.linalg.cholesky(matrices)
        except np.linalg.LinAlgError:
            # One bad matrix fails them all: find it.
            if matrices.ndim == 2:
                return np.full_like(matrices, np.nan)
            return np.stack([self.cholesky(matrix) for matrix in matrices])

    def inverse(self, matrices: Array, factors: Array) -> Array:
        """Return the inverses."""
        good = np.isfinite(factors[..., -1, -1])
        usable = matrices if good.all() else np.where(good[..., None, None], matrices, np.eye(matrices.shape[-1]))
        inverse = np.linalg.inv(usable)
        return inverse if good.all() else np.where(good[..., None, None], inverse, np.nan)


class TorchBackend:
    """torch, on the CPU or a GPU."""

    def __init__(self, device: str) -> None:
        self._torch = require("torch", "fit channels with torch", "networks")
        try:
            # A device that torch does not know fails here, one that this machine lacks at the first allocation.
            self._torch.zeros(1, device=device)
        except (RuntimeError, AssertionError) as error:
            raise ArgumentError(f"The device {device!r} cannot be used: {error}") from error
        self._device = device
        self.name = f"torch {self._torch.__version__} on {device}"

    def array(self, values: np.ndarray) -> Array:
        """Return `values` as a tensor on the device, in float64 or as indices."""
        kind = None if values.dtype.kind in "iub" else self._torch.float64
        return self._torch.as_tensor(np.ascontiguousarray(values), dtype=kind, device=self._device)

    def numpy(self, values: Array) -> np.ndarray:
        """Return a tensor as an array."""
        return values.cpu().numpy()

    def log(self, values: Array) -> Array:
        """Return the natural logarithm; NaN of negative numbers."""
        return self._torch.log(values)

    def exp(self, values: Array) -> Array:
        """Return the exponential."""
        return self._torch.exp(values)

    def zeros(self, *shape: int) -> Array:
        """Return zeros."""
        return self._torch.zeros(shape, dtype=self._torch.float64, device=self._device)

    def cholesky(self, matrices: Array) -> Array:
        """Return lower Cholesky factors; NaN for matrices that are not positive definite."""
        factors, failed = self._torch.linalg.cholesky_ex(matrices)
        return self._torch.where(failed[..., None, None] > 0, float("nan"), factors)

    def inverse(self, matrices: Array, factors: Array) -> Array:
        """Return the inverses."""
        return self._torch.cholesky_inverse(factors)


def choose_backend(device: str) -> Backend:
    """Return the backend of a device.

    Parameters
    ----------
    device
        ``"cpu"`` for numpy; ``"cuda"``, ``"cuda:1"``, ... for torch there, and ``"torch"`` for torch on the CPU, which
        is slower than numpy.

    Raises
    ------
    ArgumentError
        torch does not know the device, or this machine has none.
    MissingDependencyError
        torch is not installed.

    Examples
    --------
    >>> choose_backend("cpu").name
    'numpy'
    """
    return NumpyBackend() if device == "cpu" else TorchBackend("cpu" if device == "torch" else device)
