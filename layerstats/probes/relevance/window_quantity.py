"""What is measured of a batch of windows: what was heard, its relevance for the letter that was read, and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerstats.errors import DataError
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.relevance.attribute import attribute
from layerstats.probes.relevance.attribution import Attribution
from layerstats.probes.relevance.methods import options_of, real_type
from layerstats.probes.relevance.quantity import RELEVANCE, lost, rules_text
from layerstats.probes.relevance.rules import RULES
from layerstats.probes.relevance.shared_pass import SharedPass
from layerstats.probes.relevance.window_speech import WindowSpeech
from layerstats.store import VariableSpec

EMITTED = "emitted"


class WindowRelevance:
    """Relevance of windows for a letter, by any method.

    Parameters
    ----------
    speech : WindowSpeech
        The windows.
    network : torch.nn.Module
        Set so that it pads nothing.
    target : str
        "emitted", the letter that was read in each window; or a letter, or a unit of any layer, for all of them.
    method, start, **options
        As for `attribute`.
    maps : bool
        Store whole maps.
    shared : bool
        Run the network once over the windows of an utterance that are computed together, for methods that are rules.
    """

    def __init__(
        self,
        speech: WindowSpeech,
        network: torch.nn.Module,
        target: str,
        method: str,
        *,
        start: str | None,
        maps: bool,
        shared: bool,
        options: Mapping[str, Any],
    ) -> None:
        self.options = {name: value for name, value in options.items() if value is not None}
        options_of(method, self.options)
        self.speech, self.network, self.method, self.target, self.start = speech, network, method, target, start
        self.maps = maps
        self.labels = tuple(speech.reader.alphabet.letters)
        self._shared: SharedPass | None = None
        if shared and method in RULES:
            dtype = real_type(self.options.get("dtype") or RULES[method].dtype)
            self._shared = SharedPass(network, speech.heard(np.array([0])), dtype)

    @property
    def quantity(self) -> str:
        """How it is called in the store."""
        return RELEVANCE if self.method in RULES else self.method

    @property
    def variables(self) -> list[VariableSpec]:
        """What is stored of the relevance of each window."""
        bands = {"frequency": len(self.speech.frequency_hz)}
        names = ["peak_s"]
        if self.method in RULES:
            names += ["conservation_error", *(["scale"] if RULES[self.method].rescales else [])]
        names += ["completeness_error"] if self.method == "integrated_gradients" else []
        found = [
            VariableSpec("sum", ("token", "sample")),
            VariableSpec("by_frequency", ("token", "frequency"), bands),
            *(VariableSpec(name, ("token",)) for name in names),
        ]
        return [*found, *self._maps("relevance")]

    @property
    def input_variables(self) -> list[VariableSpec]:
        """What is stored of what was heard."""
        bands = {"frequency": len(self.speech.frequency_hz)}
        told = {"mean": "input averaged over frequency", "by_frequency": "input averaged over time"}
        found = [
            VariableSpec("mean", ("token", "sample"), long_name=told["mean"]),
            VariableSpec("by_frequency", ("token", "frequency"), bands, long_name=told["by_frequency"]),
        ]
        return [*found, *self._maps("input")]

    def attributes(self) -> dict[str, object]:
        """Return what determines the relevance, as far as it is known before any was computed."""
        told = {name: rules_text(value) for name, value in self.options.items()}
        return {**told, "quantity": self.quantity, "method": self.method, "target": self.target, "start": self.start}

    def measure(self, rows: np.ndarray) -> tuple[Attribution, Tensor]:
        """Return the relevance of windows, and what was heard, both (window, time, mel)."""
        heard = self.speech.heard(rows)
        options = dict(self.options)
        if self._shared is not None and len(rows) > 1:
            parts = self.speech.by_utterance(rows)
            options["values"] = self._shared.of(
                (self.speech.features(int(some[0])), self.speech.starts(some)) for some in parts
            )
        targets: Any = self.target
        if self.target == EMITTED:
            targets = self.speech.windows["letter"].iloc[rows].tolist()
        found = attribute(
            self.network, heard, targets, self.method, to=INPUT, start=self.start, labels=self.labels, **options
        )
        return found, heard

    def reduced(self, found: Attribution) -> dict[str, np.ndarray]:
        """Return the variables of the relevance of windows."""
        values = found.values
        assert isinstance(values, Tensor)
        errors: dict[str, Tensor] = {}
        if self.method in RULES:
            scale = found.scale.get(INPUT)
            errors = {"conservation_error": lost(found.start, values, scale)}
            errors |= {} if scale is None else {"scale": scale}
        elif isinstance(found.completeness_error, Tensor):
            errors = {"completeness_error": found.completeness_error}
        best = values.amax(dim=2).argmax(dim=1).cpu().numpy()
        arrays = {
            "sum": values.sum(dim=2),
            "by_frequency": values.sum(dim=1),
            **errors,
            **({"maps": values.transpose(1, 2)} if self.maps else {}),
        }
        return {"peak_s": self.speech.time_s[best].astype(np.float32), **_arrays(arrays)}

    def reduced_input(self, heard: Tensor) -> dict[str, np.ndarray]:
        """Return the variables of what was heard."""
        arrays = {"mean": heard.mean(dim=2), "by_frequency": heard.mean(dim=1)}
        return _arrays({**arrays, **({"maps": heard.transpose(1, 2)} if self.maps else {})})

    def _maps(self, what: str) -> list[VariableSpec]:
        bands = {"channel": len(self.speech.frequency_hz)}
        return [VariableSpec("maps", sizes=bands, long_name=what)] if self.maps else []


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in tensors.items()}


def check_numbers(arrays: Mapping[str, np.ndarray], tokens: Sequence[str]) -> None:
    """Raise `DataError` where a window has a value that is no number."""
    for name, values in arrays.items():
        bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
        if len(bad):
            raise DataError(
                f"The {name} of the window {tokens[int(bad[0])]!r} is NaN or infinite. Its audio or the weights of the "
                "network may be damaged, or shares of a rule are without bound: choose a larger epsilon."
            )
