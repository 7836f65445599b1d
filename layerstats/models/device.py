"""Where a network runs."""

from __future__ import annotations

import torch

from layerstats.errors import ArgumentError


def choose_device(device: str, otherwise: torch.device | None = None) -> torch.device:
    """Return the device of that name; for "auto" a GPU where there is one, else `otherwise`, else the CPU.

    Raises
    ------
    ArgumentError
        There is no such device here.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else otherwise or "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA says so by an AssertionError
        raise ArgumentError(
            "Invalid value for the 'device' parameter. Allowed values are 'auto', 'cpu', and 'cuda' where there is a "
            f"GPU, but got {device!r} instead ({str(error).splitlines()[0]})."
        ) from error
    return chosen
