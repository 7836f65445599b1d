"""Training of networks, one file per way of training. Importing this room imports torch."""

from layerstats.training.augment import shift_and_scale, vary_features, vary_utterances
from layerstats.training.autoencoder import train_autoencoder
from layerstats.training.commands import train_commands
from layerstats.training.features import MelFeatures, mel_features
from layerstats.training.gan import GanOptions, GanResult, train_gan
from layerstats.training.letters import letter_error_rates, read_letters, train_letters
from layerstats.training.result import AutoencoderResult, LettersResult, TrainingResult
from layerstats.training.utterances import UtteranceFeatures, utterance_features
from layerstats.training.words import train_words

__all__ = [
    "AutoencoderResult",
    "GanOptions",
    "GanResult",
    "LettersResult",
    "MelFeatures",
    "TrainingResult",
    "UtteranceFeatures",
    "letter_error_rates",
    "mel_features",
    "read_letters",
    "shift_and_scale",
    "train_autoencoder",
    "train_commands",
    "train_gan",
    "train_letters",
    "train_words",
    "utterance_features",
    "vary_features",
    "vary_utterances",
]
