"""Networks as plain torch modules, and their checkpoints. Importing this room imports torch."""

from layerstats.models.autoencoder import MelAutoencoder
from layerstats.models.card import ModelCard
from layerstats.models.checkpoint import load_checkpoint, save_checkpoint
from layerstats.models.commands import CommandClassifier
from layerstats.models.contexts import evaluating, full_precision, gradients, on_device, preserved, repeatable, running
from layerstats.models.device import choose_device, device_for, device_of, dtype_of
from layerstats.models.fresh import untrained
from layerstats.models.infowavegan import InfoWaveGAN, WaveGenerator, part
from layerstats.models.mel import UTTERANCES, MelFrontEnd, mel_filterbank, z_normalise
from layerstats.models.seeding import seeded, seeded_everywhere
from layerstats.models.speech_network import SpeechHearing, SpeechNetwork
from layerstats.models.wav2letter import Wav2Letter
from layerstats.models.wavegan import ConvolutionalEncoder, ConvolutionalLayer, PhaseShuffle

__all__ = [
    "UTTERANCES",
    "CommandClassifier",
    "ConvolutionalEncoder",
    "ConvolutionalLayer",
    "InfoWaveGAN",
    "MelAutoencoder",
    "MelFrontEnd",
    "ModelCard",
    "PhaseShuffle",
    "SpeechHearing",
    "SpeechNetwork",
    "Wav2Letter",
    "WaveGenerator",
    "choose_device",
    "device_for",
    "device_of",
    "dtype_of",
    "evaluating",
    "full_precision",
    "gradients",
    "load_checkpoint",
    "mel_filterbank",
    "on_device",
    "part",
    "preserved",
    "repeatable",
    "running",
    "save_checkpoint",
    "seeded",
    "seeded_everywhere",
    "untrained",
    "z_normalise",
]
