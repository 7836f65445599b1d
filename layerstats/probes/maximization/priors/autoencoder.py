"""An autoencoder of speech as a prior: its codes are optimised, and what it decodes is heard."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.probes.maximization.hearing import Hearing, hearing_of
from layerstats.probes.maximization.priors.checkpoints import read_checkpoint
from layerstats.probes.maximization.priors.protocol import drawn, needed
from layerstats.probes.maximization.quick_decoder import quick_decoder
from layerstats.probes.recording.key import model_hash
from layerstats.store.schema import Attribute

_NEEDED = ("encode", "decode", "front_end", "codes", "code_mean", "code_root")


class AutoencoderPrior:
    """Optimise the codes of an autoencoder (Soomro et al. 2019): what is heard is speech as far as it can decode it.

    Parameters
    ----------
    hearing : Hearing
        What the network hears; the autoencoder must have the same front end.
    autoencoder : MelAutoencoder
        Any network with `encode(features) -> (start, code)`, `decode(codes) -> (start, time, mel)`, `front_end`,
        `codes` (their number), and `code_mean` (code) and `code_root` (code, code) of the codes of its training speech.
    sha256 : str, optional
        Of its checkpoint; stored with the outcomes, so that codes are decoded by the same weights only.

    Raises
    ------
    ArgumentError
        The front ends differ: the settings are named.

    Examples
    --------
    >>> from layerstats.models import MelAutoencoder
    >>> autoencoder = MelAutoencoder(codes=4, channels=(1, 1, 1, 1))
    >>> prior = AutoencoderPrior(hearing_of(autoencoder), autoencoder)
    >>> prior.render(torch.zeros(2, 4)).shape
    torch.Size([2, 90, 80])
    """

    name = "autoencoder"
    dims: tuple[str, ...] = ("code",)
    latent = True
    starts: tuple[str, ...] = ("codes", "own", "data", "noise")
    takes_waveforms = False
    rate = 0.1

    def __init__(self, hearing: Hearing, autoencoder: Any, *, sha256: str | None = None) -> None:
        missing = [name for name in _NEEDED if not hasattr(autoencoder, name)]
        if missing:
            raise ArgumentError(
                f"An autoencoder prior needs a network with {', '.join(_NEEDED)}, but a "
                f"{type(autoencoder).__name__} has no {', '.join(missing)}. Train one with: "
                "layerstats train autoencoder"
            )
        hearing.check_same(hearing_of(autoencoder), "The autoencoder")
        self.hearing = hearing
        # Of the caller's network nothing changes, in whatever type the target network computes.
        self.autoencoder = copy.deepcopy(autoencoder).to(hearing.dtype).eval()
        together, self.decode = quick_decoder(self.autoencoder)
        self.modules: tuple[nn.Module, ...] = (together,)
        weights = {} if sha256 is None else {"sha256": sha256}
        self.attrs: Mapping[str, Attribute] = {"hash": model_hash(autoencoder), **weights}

    def start(self, kind: str, given: Tensor | None, generators: Sequence[torch.Generator], deviation: float) -> Tensor:
        """Return codes (start, code): small and random, the encoder's own, or those of tokens or of noise."""
        place = next(self.autoencoder.parameters())
        if kind == "codes":
            return drawn((self.autoencoder.codes,), generators, deviation).to(place)
        if kind == "own":
            noise = drawn((self.autoencoder.codes,), generators).to(place)
            return self.autoencoder.code_mean + noise @ self.autoencoder.code_root.T
        heard = drawn(self.hearing.shape, generators, deviation) if kind == "noise" else needed(given)
        return self.autoencoder.encode(heard.to(place))

    def render(self, variables: Tensor) -> Tensor:
        """Return the decoded features (start, time, mel)."""
        return self.decode(variables)

    def penalty(self, variables: Tensor, heard: Tensor) -> Tensor | None:
        """Return None: the decoder is the whole prior."""
        return None

    def constrain(self, variables: Tensor) -> Tensor:
        """Return the codes as they are: they have no bounds."""
        return variables


def open_autoencoder(hearing: Hearing, checkpoint: str | Path) -> AutoencoderPrior:
    """Make the prior that "autoencoder:FILE" stands for."""
    network, sha256 = read_checkpoint(checkpoint)
    return AutoencoderPrior(hearing, network, sha256=sha256)
