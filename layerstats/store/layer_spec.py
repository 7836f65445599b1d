"""What the store must know of a layer before its first value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from layerstats.errors import ArgumentError
from layerstats.store.schema import check_name


@dataclass(frozen=True)
class LayerSpec:
    """What the store must know of a layer before its first value.

    Parameters
    ----------
    name
        Name of the layer, and of its group.
    time_s
        Centre of the receptive field of every output, (sample,), seconds on the clip's axis.
    channels
        Number of channels; needed where full maps are stored.
    attrs
        `layer` (path of the module), `activation`, `slope`, `hop_s`, `receptive_field_s`, `offset_s`, ...
    """

    name: str
    time_s: np.ndarray
    channels: int | None = None
    attrs: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("layer", self.name)
        if np.ndim(self.time_s) != 1 or np.size(self.time_s) == 0 or not np.all(np.isfinite(self.time_s)):
            raise ArgumentError(f"The times of layer {self.name!r} must be finite, of shape (sample,), and not empty.")
        if np.any(np.diff(self.time_s) <= 0):
            raise ArgumentError(f"The times of layer {self.name!r} must increase from sample to sample.")

    @property
    def samples(self) -> int:
        """Number of outputs along time."""
        return len(self.time_s)
