"""What is measured of a batch of windows: what was heard, its relevance for the letter that was read, and errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerstats.errors import DataError
from layerstats.probes.layers.input_layer import INPUT
from layerstats.probes.relevance.attribute import attribute_each
from layerstats.probes.relevance.attribution import Attribution
from layerstats.probes.relevance.methods import real_type
from layerstats.probes.relevance.quantity import RELEVANCE, lost, rules_text
from layerstats.probes.relevance.rules import RULES
from layerstats.probes.relevance.shared_pass import SharedPass
from layerstats.probes.relevance.window_alignments import NONE, aligned_at, alignments_of
from layerstats.probes.relevance.window_question import EMITTED
from layerstats.probes.relevance.window_speech import WindowSpeech
from layerstats.store import VariableSpec

# Where windows are aligned under each letter.
ALIGNED_SAMPLE = "aligned_sample"


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
    alignments : bool
        Know where each window is aligned under every letter, too.
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
        alignments: bool = False,
        options: Mapping[str, Any],
    ) -> None:
        self.options = {name: value for name, value in options.items() if value is not None}
        self.speech, self.network, self.method, self.target, self.start = speech, network, method, target, start
        self.maps, self.alignments = maps, alignments
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
        if self.alignments:
            sizes = {"letter": len(ascii_lowercase), "alignment": len(self.stored_alignments)}
            found.append(VariableSpec(ALIGNED_SAMPLE, ("token", "letter", "alignment"), sizes, dtype="int64"))
        return [*found, *self._maps("relevance")]

    @property
    def stored_alignments(self) -> tuple[str, ...]:
        """The alignments that are known under every letter: the middle is the same for all."""
        return tuple(one for one in alignments_of(self.method, by_time=True) if one != NONE)

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
        told |= {"quantity": self.quantity, "method": self.method, "target": self.target, "start": self.start}
        # Keys of recordings without them stay as they were.
        return {**told, "alignments": list(self.stored_alignments)} if self.alignments else told

    def measure(self, rows: np.ndarray) -> tuple[Attribution, Tensor]:
        """Return the relevance of windows, and what was heard, both (window, time, mel)."""
        heard = self.speech.heard(rows)
        targets: Any = self.target
        if self.target == EMITTED:
            targets = self.speech.windows["letter"].iloc[rows].tolist()
        found: list[Attribution] = []
        self._attribute(rows, heard, [targets], found.append)
        return found[0], heard

    def measure_aligned(self, rows: np.ndarray) -> tuple[Attribution, Tensor, np.ndarray]:
        """Return the same, and the sample at which windows are aligned under each letter, (window, letter, alignment).

        Under the letter that was read in it a window is aligned by the relevance that is returned.
        """
        heard = self.speech.heard(rows)
        letters = len(ascii_lowercase)
        own = np.array([ascii_lowercase.index(letter) for letter in self.speech.windows["letter"].iloc[rows]])
        samples = np.empty((len(rows), letters, len(self.stored_alignments)), dtype=np.int64)
        # Each window begins with its own letter.
        turned = [(own + step) % letters for step in range(letters)]
        left, kept = iter(turned), []

        def use(found: Attribution) -> None:
            each, relevance = next(left), maps_of(found)
            for place, alignment in enumerate(self.stored_alignments):
                samples[np.arange(len(rows)), each, place] = aligned_at(relevance, alignment)
            if not kept:
                kept.append(found)

        self._attribute(rows, heard, [[ascii_lowercase[one] for one in each] for each in turned], use)
        return kept[0], heard, samples

    def _attribute(
        self, rows: np.ndarray, heard: Tensor, targets: list[Any], use: Callable[[Attribution], object]
    ) -> None:
        options = dict(self.options)
        if self._shared is not None and len(rows) > 1:
            parts = self.speech.by_utterance(rows)
            options["values"] = self._shared.of(
                (self.speech.features(int(some[0])), self.speech.starts(some)) for some in parts
            )
        how = {"to": INPUT, "start": self.start, "labels": self.labels}
        attribute_each(self.network, heard, targets, use, self.method, **how, **options)

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


def maps_of(found: Attribution) -> np.ndarray:
    """Return the relevance of windows, (window, frequency, sample)."""
    values = found.values
    assert isinstance(values, Tensor)
    return values.detach().transpose(1, 2).cpu().numpy()


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
