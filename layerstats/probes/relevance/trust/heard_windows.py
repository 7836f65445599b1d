"""Windows of utterances as a network hears them, with what is put in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from layerstats.checks import check_columns
from layerstats.corpora import Corpus, utterance
from layerstats.errors import DataError
from layerstats.models import Wav2Letter
from layerstats.probes.relevance.attribute import attribute
from layerstats.probes.relevance.reading import check_reader, padded
from layerstats.probes.relevance.trust.exchanged import speech_replacements
from layerstats.probes.relevance.trust.perturbation import perturbation_curves
from layerstats.probes.relevance.trust.randomisation import MODES, RandomisedNetwork, randomised_networks


@dataclass(frozen=True, eq=False)
class HeardWindows:
    """Windows in memory, and the network that hears them.

    Attributes
    ----------
    reader
        The network.
    features
        (token, time, mel) what it hears, normalised with the utterance.
    replacements
        By name, shaped like these: see `speech_replacements`.
    tokens
        Rows of the windows; `letter` is what is explained.
    """

    reader: Wav2Letter
    features: Tensor
    replacements: dict[str, Tensor]
    tokens: pd.DataFrame

    @property
    def targets(self) -> list[str]:
        """The letter of each window, as a target of `attribute`."""
        return self.tokens["letter"].astype(str).tolist()

    def maps(self, method: str, *, network: nn.Module | None = None, batch_size: int = 32, **options: Any) -> Tensor:
        """Return the relevance of every window for its letter, (token, time, mel).

        Parameters
        ----------
        method, **options
            As for `attribute`.
        network
            Another one with the same outputs, for instance with random weights.
        batch_size
            Windows that go through it together.
        """
        reader = check_reader(self.reader if network is None else network)
        labels, parts = list(reader.alphabet.letters), []
        with padded(reader, "valid"):
            for first in range(0, len(self.tokens), batch_size):
                some = slice(first, first + batch_size)
                found = attribute(reader, self.features[some], self.targets[some], method, labels=labels, **options)
                values = found.values  # noqa: PD011 - tensors
                assert isinstance(values, Tensor)
                parts.append(values.detach())
        return torch.cat(parts)

    def random_maps(
        self,
        method: str,
        layers: str | Sequence[str] | None = None,
        *,
        modes: Sequence[str] = MODES,
        seed: int = 0,
        **options: Any,
    ) -> Iterator[tuple[RandomisedNetwork, Tensor]]:
        """Yield the maps of networks with random weights, see `randomised_networks`, one at a time."""
        for one in randomised_networks(self.reader, self.features[:1], layers, modes=modes, seed=seed):
            yield one, self.maps(method, network=one.network, **options)

    def curves(self, maps: Tensor, **options: Any) -> pd.DataFrame:
        """Follow the letter's probability while patches are exchanged; options as for `perturbation_curves`."""
        labels, targets = list(self.reader.alphabet.letters), self.targets
        with padded(self.reader, "valid"):
            return perturbation_curves(
                *(self.reader, self.features, targets, maps, self.replacements, self.tokens), labels=labels, **options
            )


def hear_windows(network: nn.Module, corpus: Corpus, windows: pd.DataFrame, *, seed: int = 0) -> HeardWindows:
    """Cut windows out of what a network hears of utterances, and out of what is put in their place.

    Parameters
    ----------
    network : torch.nn.Module
        A `Wav2Letter`, or a network with the same attributes.
    corpus : Corpus
        The utterances.
    windows : DataFrame
        ``token, utterance, letter, start_frame, speaker`` of windows that lie in their utterances: rows of
        `emitted_letters`, or of the tokens of a store of windows.
    seed : int
        Of replacements.

    Raises
    ------
    ArgumentError
        The network does not read letters.
    DataError
        A column is missing, the corpus lacks an utterance, or a window reaches beyond it.

    Examples
    --------
    >>> from layerstats.corpora import demo_corpus
    >>> from layerstats.models import Wav2Letter
    >>> corpus = demo_corpus(sentences=["the quick fox jumped over a lazy dog"], voices=2, said_by=2)
    >>> names = corpus.tokens["token"].tolist()
    >>> windows = pd.DataFrame({"token": ["a", "b"], "utterance": names, "letter": "q", "start_frame": 4})
    >>> heard = hear_windows(Wav2Letter(width=2, top=4), corpus, windows.assign(speaker=["p", "q"]))
    >>> heard.features.shape, list(heard.replacements)
    (torch.Size([2, 206, 128]), ['mean spectrum', "noise with the speaker's spectrum", 'another utterance'])
    """
    reader = check_reader(network)
    check_columns(windows, ["token", "utterance", "letter", "start_frame", "speaker"], "the table of windows")
    utterances = windows.drop_duplicates("utterance")
    unknown = sorted(set(utterances["utterance"]) - set(corpus.tokens["token"]))
    if unknown:
        raise DataError(f"The corpus has no utterance {unknown[0]!r}, which {len(unknown)} utterances of windows are.")
    names = utterances["utterance"].tolist()
    sounds = [utterance(corpus, name, reader.front_end.rate_hz) for name in names]
    place = reader.front_end.filterbank.device
    with torch.no_grad():
        heard = [reader.features(torch.from_numpy(sound).to(place)[None])[0] for sound in sounds]
    others = speech_replacements(reader.front_end, sounds, utterances["speaker"].tolist(), seed=seed)
    by_name = {name: {"": own, **other} for name, own, other in zip(names, heard, others, strict=True)}
    cut: dict[str, list[Tensor]] = {name: [] for name in ("", *others[0])}
    for token, spoken, first in zip(windows["token"], windows["utterance"], windows["start_frame"], strict=True):
        start, frames = int(first), len(by_name[spoken][""])
        if start < 0 or start + reader.receptive_field > frames:
            raise DataError(
                f"The window {token!r} reaches from frame {start} to {start + reader.receptive_field}, but its "
                f"utterance has {frames}: choose windows that lie inside (context='inside')."
            )
        for name, values in by_name[spoken].items():
            cut[name].append(values[start : start + reader.receptive_field])
    stacked = {name: torch.stack(values) for name, values in cut.items()}
    features = stacked.pop("")
    return HeardWindows(reader, features, stacked, windows.reset_index(drop=True))
