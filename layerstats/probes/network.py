"""What a recording says about the network that was recorded, so that networks can be compared."""

from __future__ import annotations

from layerstats.models import ModelCard, SpeechNetwork

_KINDS = {"CommandClassifier": "commands", "MelAutoencoder": "autoencoder"}


def network_attributes(card: ModelCard | SpeechNetwork, part: str = "q_network") -> dict[str, object]:
    """Return attributes of a recording: the kind of network, which part of it, and the seed of its training.

    Parameters
    ----------
    card : ModelCard or SpeechNetwork
        The card of one of layerstats's checkpoints; or a network that others trained.
    part : str
        The part that is recorded, for an InfoWaveGAN.

    Returns
    -------
    dict
        `network_kind` ("ciwgan", "fiwgan", "commands", "autoencoder" or "supervised"; a null that learned from shuffled
        labels is "commands, shuffled labels"), for an InfoWaveGAN `part`, and `network_seed` where the card has it. Of
        a network that others trained the kind ("whisper", "wav2vec2", ...; "acoustics" is the sound alone) and
        `network`, what its folder is called.

    Examples
    --------
    >>> card = ModelCard("words", "", training={"seed": 3}, architecture={"class": "ConvolutionalEncoder"})
    >>> network_attributes(card)
    {'network_kind': 'supervised', 'network_seed': 3}
    """
    if isinstance(card, SpeechNetwork):
        return {"network_kind": card.hearing.kind, "network": card.name or card.hearing.kind}
    if card.architecture.get("class") == "InfoWaveGAN":
        attributes: dict[str, object] = {"network_kind": card.architecture["arguments"]["kind"], "part": part}
    else:
        kind = _KINDS.get(str(card.architecture.get("class")), "supervised")
        shuffled = card.training.get("labels") == "shuffled"
        attributes = {"network_kind": kind + ", shuffled labels" * shuffled}
    seed = card.training.get("seed")
    return attributes if seed is None else {**attributes, "network_seed": int(seed)}
