"""What stands on the page: sounds, draws with what judges say of them, and natural exemplars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Sound:
    """A waveform and its spectrogram.

    Parameters
    ----------
    waveform : ndarray
        (sample,), between -1 and 1.
    rate_hz : int
        Its sampling rate.
    features : ndarray
        (time, mel), where 0 to 1 are the range that a spectrogram shows.

    Examples
    --------
    >>> import numpy as np
    >>> sound = Sound(np.zeros(16000, "float32"), 16000, np.zeros((80, 100), "float32"))
    >>> sound.rate_hz
    16000
    """

    waveform: np.ndarray
    rate_hz: int
    features: np.ndarray


@dataclass(frozen=True, eq=False)
class Draw:
    """One start: the sound that it began as and the one that it became, and who hears what in it.

    Parameters
    ----------
    start, target, set_up, network : str
        Which start, of which set of outcomes.
    number, seed : int
        What it is drawn by.
    before, after : Sound
        Its sounds.
    judgements : DataFrame
        ``judge, response, score``: what each judge hears, and its score of the target (missing where it gives none).
    command : str
        What makes it again, as it is typed.
    null : str
        Which null it is a draw of; "" where it is none.
    facts : mapping of str to str
        What else there is to say, such as the steps used.

    Examples
    --------
    >>> import numpy as np
    >>> sound = Sound(np.zeros(16000, "float32"), 16000, np.zeros((80, 100), "float32"))
    >>> heard = pd.DataFrame({"judge": ["seed0"], "response": ["yes"], "score": [0.9]})
    >>> Draw("yes_00000", "yes", "codes", "seed0", 0, 1, sound, sound, heard).null
    ''
    """

    start: str
    target: str
    set_up: str
    network: str
    number: int
    seed: int
    before: Sound
    after: Sound
    judgements: pd.DataFrame
    command: str = ""
    null: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Exemplar:
    """A natural token of a class.

    Parameters
    ----------
    token, word, speaker : str
        Which token, of which class, by whom.
    sound : Sound
        What it sounds like.

    Examples
    --------
    >>> import numpy as np
    >>> sound = Sound(np.zeros(16000, "float32"), 16000, np.zeros((80, 100), "float32"))
    >>> Exemplar("t01", "ask", "p03", sound).word
    'ask'
    """

    token: str
    word: str
    speaker: str
    sound: Sound


@dataclass(frozen=True)
class SpectrogramAxes:
    """How the axes of all spectrograms are labelled.

    Parameters
    ----------
    duration_s : float
        Seconds from the left edge to the right one.
    frequencies : mapping of str to float
        Labels and where they stand, from 0 (lower edge) to 1 (upper edge).
    range_db : float
        Decibels from 0 to 1 in the features.

    Examples
    --------
    >>> SpectrogramAxes(1.0, {"1 kHz": 0.3}, 80.0).duration_s
    1.0
    """

    duration_s: float
    frequencies: Mapping[str, float]
    range_db: float
