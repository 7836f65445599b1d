"""Windows of a recording heard again, with maps made anew, which must be those that were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from layerstats.checks import check_count
from layerstats.corpora import Corpus
from layerstats.errors import ArgumentError
from layerstats.probes.relevance.trust.heard_windows import HeardWindows, hear_windows
from layerstats.probes.relevance.trust.randomisation import RandomisedNetwork
from layerstats.store import Experiment

# What a recording names that its method is asked for again.
_OPTIONS = ("epsilon", "gamma", "alpha", "beta", "start")
_ALIKE = 0.9


@dataclass(frozen=True, eq=False)
class RecordedMaps:
    """Maps of some windows of a recording, made anew.

    Attributes
    ----------
    heard
        The windows.
    maps
        (token, time, mel) their relevance.
    method, options
        What they were made by, as for `attribute`.
    """

    heard: HeardWindows
    maps: Tensor
    method: str
    options: dict[str, Any]

    def random_maps(
        self, layers: str | Sequence[str] | None = None, *, seed: int = 0
    ) -> Iterator[tuple[RandomisedNetwork, Tensor]]:
        """Yield maps of networks with random weights by the same method; see `randomised_networks`."""
        return self.heard.random_maps(self.method, layers or None, seed=seed, **self.options)


def hear_recorded(
    network: nn.Module, corpus: Corpus, recording: Experiment, *, windows: int = 100, seed: int = 0
) -> RecordedMaps:
    """Let a network hear some windows of a recording of relevance again, spread over speakers, and make their maps.

    Parameters
    ----------
    network : torch.nn.Module
        The network that was recorded.
    corpus : Corpus
        The speech that was recorded.
    recording : Experiment
        A view of the recording, by `record_letter_relevance`.
    windows : int, default 100
        How many, drawn at random: as many of each speaker as there are, at most one more.
    seed : int
        Of the choice, and of what is put in the place of speech.

    Raises
    ------
    ArgumentError
        Maps made anew are not like those that were recorded, for instance by another network.

    Examples
    --------
    >>> import tempfile
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import Wav2Letter, seeded
    >>> from layerstats.probes import record_letter_relevance
    >>> corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=2, said_by=2)
    >>> with seeded(0):
    ...     network = Wav2Letter(width=4, top=8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recording = record_letter_relevance(network, corpus, f"{folder}/s.zarr", method="gradient")
    ...     recorded = hear_recorded(network, corpus, recording, windows=2)
    >>> recorded.method, recorded.maps.shape
    ('gradient', torch.Size([2, 206, 128]))
    """
    check_count("windows", windows)
    mixed = recording.tokens.sample(frac=1, random_state=seed)
    turn = mixed.groupby("speaker").cumcount().sort_values(kind="stable")
    some = recording.select(token=mixed.loc[turn.index[:windows], "token"].tolist())
    attrs = recording.recording_attrs
    method, options = attrs["method"], {name: attrs[name] for name in _OPTIONS if name in attrs}
    heard = hear_windows(network, corpus, some.tokens, seed=seed)
    maps = heard.maps(method, **options)
    _check_alike(some, maps)
    return RecordedMaps(heard, maps, method, options)


def _check_alike(some: Experiment, maps: Tensor) -> None:
    """Raise where maps that are made anew are not those that were recorded."""
    layer = some.layer("input")
    stored, again = layer["sum" if "sum" in layer else some.summary].to_numpy(), maps.sum(dim=2).numpy()
    alike = np.median([np.corrcoef(one, two)[0, 1] for one, two in zip(stored, again, strict=True)])
    if not alike > _ALIKE:
        raise ArgumentError(
            f"Maps made anew correlate by {alike:.2f} with those of {some.name!r}: the network, the corpus "
            "or the rules are others than when it was recorded."
        )
