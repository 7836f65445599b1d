"""A network that others trained, with all that this package has to know to let it hear speech."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

Prepared = Tensor | Mapping[str, Any]


@dataclass(frozen=True)
class SpeechHearing:
    """What a network hears, and how its input is made of speech.

    Parameters
    ----------
    kind : str
        Which architecture: "whisper", "wav2vec2", "hubert", "wavlm", "crepe", "acoustics", ...
    rate_hz : int
        Sampling rate of the speech.
    prepare : callable
        Makes the network's input, a tensor or a mapping of keyword arguments, of waveforms (token, sample) and, if
        tokens are not equally long, lengths (token,) in samples; on the device of the waveforms, with a gradient.
    default_layers : sequence of str
        Names or patterns of the layers that are recorded unless others are asked for.
    axes : mapping of str to sequence of str
        Names of the axes of the output of layers, by names or patterns.
    input_axes : sequence of str
        Names of the axes of the network's input.
    normalisation : {"none", "peak", "rms", "standard"}
        What is done to the samples of a token, as for `Clips`.
    fixed_samples : int, optional
        Length to which the input is filled with silence, whatever the speech; longer speech is not heard.
    least_samples : int, default 1
        Fewer samples give no output.
    takes_lengths : bool, default False
        Whether a mask keeps what fills a token from the network.
    input_hop_s : float, optional
        Seconds from one sample of the input to the next; by default those of the waveform.
    input_window_s : float, default 0
        Seconds of speech in one sample of the input; 0 where that is the waveform.

    Examples
    --------
    >>> hearing = SpeechHearing("mine", 16000, lambda waveforms: waveforms, ["conv1", "conv2"])
    >>> hearing.rate_hz, hearing.input_axes
    (16000, ('token', 'sample'))
    """

    kind: str
    rate_hz: int
    prepare: Callable[..., Prepared]
    default_layers: Sequence[str]
    axes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    input_axes: Sequence[str] = ("token", "sample")
    normalisation: str = "none"
    fixed_samples: int | None = None
    least_samples: int = 1
    takes_lengths: bool = False
    input_hop_s: float | None = None
    input_window_s: float = 0.0


def from_transformers(network: nn.Module) -> bool:
    """Whether a network is one of the transformers library, which is built of its configuration."""
    return any(base.__name__ == "PreTrainedModel" for base in type(network).__mro__)


class SpeechNetwork(nn.Module):
    """A network, and how it hears speech; its modules keep the names that they have in the network.

    Parameters
    ----------
    network : torch.nn.Module
        The network itself.
    hearing : SpeechHearing
        How it hears.
    name : str
        What it is called in recordings.
    notes : sequence of str
        What was found when it was loaded, in sentences.

    Examples
    --------
    >>> hearing = SpeechHearing("example", 16000, lambda waveforms, lengths=None: waveforms, default_layers=["0"])
    >>> network = SpeechNetwork(nn.Sequential(nn.Linear(4, 2)), hearing)
    >>> [name for name, _ in network.named_modules()], [name for name, _ in network.named_parameters()]
    (['', '', '0'], ['0.weight', '0.bias'])
    """

    def __init__(self, network: nn.Module, hearing: SpeechHearing, name: str = "", notes: Sequence[str] = ()) -> None:
        super().__init__()
        self.network = network
        self.training = network.training
        self.hearing = hearing
        self.name = name
        self.notes = tuple(notes)

    def __getstate__(self) -> dict[str, Any]:
        # torch pickles no module with a parametrized weight, as that of wav2vec2's positions is.
        state = dict(vars(self))
        if from_transformers(self.network):
            state["_modules"] = {}
            state["_built"] = type(self.network), self.network.config, self.network.state_dict(), self.network.training
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        built = state.pop("_built", None)
        super().__setstate__(state)
        if built is not None:
            kind, config, weights, training = built
            network = kind(config)
            first = next((weight for weight in weights.values() if weight.is_floating_point()), None)
            network = network if first is None else network.to(first)
            network.load_state_dict(weights)
            self.network = network.train(training)

    def named_modules(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Module]]:
        """Yield this module, and the modules of the network by their own names."""
        yield "", self
        yield from self.network.named_modules(*args, **kwargs)

    def get_submodule(self, target: str) -> nn.Module:
        """Return a module of the network."""
        return self.network.get_submodule(target) if target else self

    def forward(self, *args: Any, **kwargs: Any) -> object:
        """Run the network on what `hearing.prepare` made."""
        with warnings.catch_warnings():
            # WavLM's code hands torch masks of two types, which a later torch may refuse.
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            return self.network(*args, **kwargs)
