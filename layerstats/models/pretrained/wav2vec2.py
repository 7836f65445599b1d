"""wav2vec2, and what HuBERT and WavLM share with it: convolutions over the waveform, then a transformer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from layerstats.models.pretrained.saved_encoders import find_folder, library, load_encoder, read_preparation
from layerstats.models.speech_network import SpeechHearing, SpeechNetwork

KIND = "wav2vec2"
_FRAMES, _STATES = ("token", "channel", "sample"), ("token", "sample", "channel")


@dataclass(frozen=True)
class WaveformInput:
    """Waveforms as they are and, for networks in which it does what it should, a mask of what fills them.

    Parameters
    ----------
    masked : bool
        Whether lengths become a mask.
    """

    masked: bool

    def __call__(self, waveforms: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Return `input_values` (token, sample) and, with lengths, `attention_mask` (token, sample)."""
        if lengths is None or not self.masked:
            return {"input_values": waveforms}
        places = torch.arange(waveforms.shape[1], device=waveforms.device)
        return {
            "input_values": waveforms,
            "attention_mask": (places < lengths.to(waveforms.device)[:, None]).long(),
        }


def waveform_network(
    encoder: nn.Module, kind: str = KIND, rate_hz: int = 16000, normalisation: str = "standard"
) -> SpeechNetwork:
    """Make a wav2vec2, HuBERT or WavLM of the transformers library hear speech.

    Parameters
    ----------
    encoder : torch.nn.Module
        A `Wav2Vec2Model`, `HubertModel` or `WavLMModel`.
    kind : str
        Which of them.
    rate_hz : int
        Sampling rate in Hz.
    normalisation : {"standard", "none"}
        Whether each token is brought to mean 0 and variance 1, as its authors did or did not.

    Returns
    -------
    SpeechNetwork
        Its layers are `feature_extractor.conv_layers.0`, ..., `feature_projection`, `encoder.layers.0`, ... and, where
        the transformer normalises at its end only, `encoder.layer_norm`. Lengths reach a network whose convolutions
        are normalised frame by frame; the norm over time of the others hears what fills a token, mask or no mask.

    Examples
    --------
    >>> from transformers import Wav2Vec2Config, Wav2Vec2Model
    >>> sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    >>> convolutions = {"conv_dim": (4, 4), "conv_kernel": (10, 3), "conv_stride": (5, 2)}
    >>> positions = {"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
    >>> network = waveform_network(Wav2Vec2Model(Wav2Vec2Config(**sizes, **convolutions, **positions)))
    >>> network.hearing.kind, network.hearing.rate_hz, network.hearing.takes_lengths
    ('wav2vec2', 16000, False)
    """
    config: Any = encoder.config
    masked = config.feat_extract_norm == "layer"
    last = ("encoder.layer_norm",) if config.do_stable_layer_norm else ()
    hearing = SpeechHearing(
        kind,
        rate_hz,
        WaveformInput(masked),
        default_layers=("feature_extractor.conv_layers.*", "feature_projection", "encoder.layers.*", *last),
        axes={
            "feature_extractor.conv_layers.*": _FRAMES,
            **dict.fromkeys(("feature_projection", "encoder.layers.*", "encoder.layer_norm"), _STATES),
        },
        normalisation=normalisation,
        least_samples=_field(config.conv_kernel, config.conv_stride),
        takes_lengths=masked,
    )
    return SpeechNetwork(encoder, hearing)


def _field(kernels: Sequence[int], strides: Sequence[int]) -> int:
    """Return the samples that the last convolution needs for one output."""
    samples = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


def open_waveform_network(kind: str, class_name: str, place: str) -> SpeechNetwork:
    """Open a network of this family that `save_pretrained` wrote, whatever head the folder has."""
    folder = find_folder(kind, place)
    network, notes = load_encoder(kind, folder, getattr(library(), class_name))
    told = read_preparation(folder)
    if "do_normalize" not in told:
        notes.append(
            "No preprocessor_config.json says whether tokens are brought to mean 0 and variance 1; they are, which is "
            "what transformers does by default."
        )
    normalisation = "standard" if told.get("do_normalize", True) else "none"
    made = waveform_network(network, kind, told.get("sampling_rate", 16000), normalisation)
    return SpeechNetwork(made.network, made.hearing, folder.name, notes)


def open_wav2vec2(place: str) -> SpeechNetwork:
    """Open a wav2vec2 (Baevski et al. 2020)."""
    return open_waveform_network(KIND, "Wav2Vec2Model", place)
