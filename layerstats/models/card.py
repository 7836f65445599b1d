"""What a reader has to know about a checkpoint, and how its architecture is named and built."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from layerstats.checks import read_as
from layerstats.errors import ArgumentError, DataError
from layerstats.models.autoencoder import MelAutoencoder
from layerstats.models.commands import CommandClassifier
from layerstats.models.infowavegan import InfoWaveGAN
from layerstats.models.wav2letter import Wav2Letter
from layerstats.models.wavegan import ConvolutionalEncoder

# A later architecture joins here; checkpoints name theirs by this key.
ARCHITECTURES: dict[str, type[nn.Module]] = {
    "CommandClassifier": CommandClassifier,
    "ConvolutionalEncoder": ConvolutionalEncoder,
    "InfoWaveGAN": InfoWaveGAN,
    "MelAutoencoder": MelAutoencoder,
    "Wav2Letter": Wav2Letter,
}


@dataclass(frozen=True)
class ModelCard:
    """What a checkpoint is, how it was made, how well it does and what it must not be used for.

    Parameters
    ----------
    name : str
        Short name.
    description : str
        What the network does, in a sentence or two.
    outputs : tuple of str
        What each output stands for, in order, for instance the words.
    training, evaluation : mapping
        Plain facts: corpus, speakers, steps, seconds, hardware; accuracies and how they were measured.
    limits : tuple of str
        What the network cannot be relied on for.
    architecture : mapping
        `class` and `arguments`; filled in by `save_checkpoint`.

    Examples
    --------
    >>> card = ModelCard("two-words", "Tells two words apart.", outputs=("ask", "wash"))
    >>> print(card.to_markdown().strip())
    # two-words
    <BLANKLINE>
    Tells two words apart.
    <BLANKLINE>
    Outputs, in order: ask, wash.
    """

    name: str
    description: str
    outputs: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    architecture: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the card as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read a card from what `to_json` wrote; fields that this version does not know are passed over.

        Raises
        ------
        DataError
            The text is not a card: not JSON, no name, or a field of another kind.
        """
        try:
            given = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(f"it is not JSON ({error}).") from error
        if not isinstance(given, dict) or "name" not in given:
            raise DataError("it has no 'name'.")
        written = {name: value for name, value in given.items() if value is not None}
        try:
            return read_as(cls, {"description": "", **written}, "card")
        except ArgumentError as error:
            raise DataError(str(error)) from None

    def to_markdown(self) -> str:
        """Return the card as a page to read."""
        lines = [f"# {self.name}", "", self.description, ""]
        if self.outputs:
            lines += [f"Outputs, in order: {', '.join(self.outputs)}.", ""]
        sections = {"Architecture": self.architecture, "Training": self.training, "Evaluation": self.evaluation}
        for title, facts in sections.items():
            if facts:
                lines += [f"## {title}", "", *(f"- {key.replace('_', ' ')}: {_plain(facts[key])}" for key in facts), ""]
        if self.limits:
            lines += ["## Limits", "", *(f"- {limit}" for limit in self.limits), ""]
        return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)


def describe(model: nn.Module) -> dict[str, Any]:
    """Return `{"class": ..., "arguments": ...}` of one of this package's networks.

    Raises
    ------
    ArgumentError
        The network is not one of this package's own.
    """
    name = type(model).__name__
    if ARCHITECTURES.get(name) is not type(model):
        raise ArgumentError(
            f"Checkpoints hold the architectures {', '.join(ARCHITECTURES)}, but got a {name} instead. "
            "Save other networks with their own library; record_activations takes any torch.nn.Module."
        )
    return {"class": name, "arguments": dict(model.configuration)}  # pyright: ignore[reportArgumentType, reportCallIssue]


def build(architecture: Mapping[str, Any]) -> nn.Module:
    """Construct the network that `describe` described, with weights drawn from torch's random state."""
    name = architecture.get("class")
    if name not in ARCHITECTURES:
        raise ArgumentError(f"Unknown architecture {name!r}. Known are {', '.join(ARCHITECTURES)}.")
    try:
        return ARCHITECTURES[name](**architecture.get("arguments", {}))
    except TypeError as error:
        raise ArgumentError(f"The arguments on the card do not fit the architecture {name}: {error}.") from error
