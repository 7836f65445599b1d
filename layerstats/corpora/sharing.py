"""Whether the sounds of a corpus may be passed on, on a page for instance, and what must stand beside them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sharing:
    """What a corpus's licence says of its sounds.

    Parameters
    ----------
    allowed : bool or None
        Whether single sounds may be passed on; None where nobody has said.
    said : str
        Whose they are and under which licence, in a sentence; it stands beside sounds, or in their place.

    Examples
    --------
    >>> Sharing(None, "Nothing is known.").permits(), Sharing(None, "Nothing is known.").permits(told=True)
    (False, True)
    """

    allowed: bool | None
    said: str

    def permits(self, *, told: bool = False) -> bool:
        """Whether sounds may be copied; `told` is the word of whoever owns a corpus of which nothing is known."""
        return told if self.allowed is None else self.allowed


UNKNOWN = Sharing(
    None,
    "Whether sounds of this corpus may be passed on is not known. If they may, say so (--share-sounds, share=True).",
)
BUILT_IN = Sharing(True, "Sounds: synthetic voices of eSpeak NG, made by layerstats; they may be passed on.")
_CREATIVE_COMMONS = "https://creativecommons.org/licenses"
# These licences ask for names, for their address, and to be told what was changed.
SPOKEN_DIGITS = Sharing(
    True,
    "Sounds: clips cut from the Free Spoken Digit Dataset, Z. Jackson and others, CC BY-SA 4.0 "
    f"({_CREATIVE_COMMONS}/by-sa/4.0/), under which they may be passed on.",
)
SPEECH_COMMANDS = Sharing(
    True, f"Sounds: clips cut from Speech Commands, P. Warden (2018), CC BY 4.0 ({_CREATIVE_COMMONS}/by/4.0/)."
)
LIBRISPEECH = Sharing(
    True,
    "Sounds: clips cut from LibriSpeech, V. Panayotov (2014; Panayotov, Chen, Povey and Khudanpur 2015), CC BY 4.0 "
    f"({_CREATIVE_COMMONS}/by/4.0/).",
)
TIMIT = Sharing(
    False,
    "TIMIT (LDC93S1) is licensed by the LDC to those who sign its agreement: its sounds are not put on a page.",
)
