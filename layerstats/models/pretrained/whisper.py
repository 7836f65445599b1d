"""Whisper: the encoder of any of its sizes, which hears log-mel spectrograms of half a minute."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from layerstats.errors import ArgumentError
from layerstats.models.pretrained.log_mel import LogMel, above_floor
from layerstats.models.pretrained.saved_encoders import find_folder, library, load_encoder, read_preparation
from layerstats.models.speech_network import SpeechHearing, SpeechNetwork

KIND = "whisper"
_FRAMES, _STATES = ("token", "channel", "sample"), ("token", "sample", "channel")


@dataclass(frozen=True)
class WhisperInput:
    """From waveforms to what Whisper hears: silence fills them up to its length, then log-mel spectrograms.

    Parameters
    ----------
    spectrogram : LogMel
        Windows and bands.
    samples : int
        Its length.
    """

    spectrogram: LogMel
    samples: int

    def __call__(self, waveforms: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Return `input_features` (token, mel, frame); lengths do not matter, for what fills is silence anyway."""
        missing = self.samples - waveforms.shape[-1]
        if missing < 0:
            rate_hz = self.spectrogram.rate_hz
            raise ArgumentError(
                f"Whisper hears {self.samples / rate_hz:g} s at a time, but a token lasts "
                f"{waveforms.shape[-1] / rate_hz:.2f} s. Slice utterances into words (slice_words=True, "
                "--slice-words), or leave long ones out (too_long='skip')."
            )
        features = self.spectrogram(F.pad(waveforms, (0, missing)))
        return {"input_features": above_floor(features[..., :-1])}


def whisper_network(encoder: nn.Module, n_fft: int = 400, hop: int = 160, rate_hz: int = 16000) -> SpeechNetwork:
    """Make a Whisper encoder of the transformers library hear speech.

    Parameters
    ----------
    encoder : torch.nn.Module
        A `WhisperEncoder`.
    n_fft, hop, rate_hz : int
        Samples of a window, samples from window to window, and the sampling rate in Hz.

    Returns
    -------
    SpeechNetwork
        Its layers are `conv1` and `conv2` (before GELU), `layers.0`, ... and `layer_norm`, what the decoder hears.

    Examples
    --------
    >>> from transformers import WhisperConfig
    >>> from transformers.models.whisper.modeling_whisper import WhisperEncoder
    >>> sizes = {"d_model": 8, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 8}
    >>> network = whisper_network(WhisperEncoder(WhisperConfig(**sizes)))
    >>> network.hearing.kind, network.hearing.rate_hz, network.hearing.default_layers
    ('whisper', 16000, ('conv1', 'conv2', 'layers.*', 'layer_norm'))
    """
    config = encoder.config
    frames = int(config.max_source_positions) * 2  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
    bands = int(config.num_mel_bins)  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
    hearing = SpeechHearing(
        KIND,
        rate_hz,
        WhisperInput(LogMel(rate_hz, n_fft, hop, bands), frames * hop),
        default_layers=("conv1", "conv2", "layers.*", "layer_norm"),
        axes={
            **dict.fromkeys(("conv1", "conv2"), _FRAMES),
            **dict.fromkeys(("layers.*", "layers.*.*", "layers.*.self_attn.*", "layer_norm"), _STATES),
        },
        input_axes=("token", "frequency", "sample"),
        fixed_samples=frames * hop,
        input_hop_s=hop / rate_hz,
        input_window_s=n_fft / rate_hz,
    )
    return SpeechNetwork(encoder, hearing)


def open_whisper(place: str) -> SpeechNetwork:
    """Open the encoder of a Whisper that `save_pretrained` wrote, whatever head the folder has."""
    folder = find_folder(KIND, place)
    network, notes = load_encoder(KIND, folder, library().WhisperModel, lambda name: name.startswith("encoder."))
    told = read_preparation(folder)
    sizes = {"n_fft": told.get("n_fft", 400), "hop": told.get("hop_length", 160)}
    made = whisper_network(network.encoder, **sizes, rate_hz=told.get("sampling_rate", 16000))  # pyright: ignore[reportArgumentType]
    return SpeechNetwork(made.network, made.hearing, folder.name, notes)
