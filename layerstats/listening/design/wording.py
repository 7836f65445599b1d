"""What raters read where nothing else is asked for: English, to be replaced by texts of one's own."""

from __future__ import annotations

from layerstats.listening.design.listening_design import ScalePoint

# Five points of clarity, with the words of Soomro et al. (2019).
OPINION_SCALE = (
    ScalePoint(1, "Bad", "completely unclear speech"),
    ScalePoint(2, "Poor"),
    ScalePoint(3, "Fair"),
    ScalePoint(4, "Good"),
    ScalePoint(5, "Excellent", "completely clear speech"),
)
TITLE = "Listening test"
QUESTIONS = {
    "opinion": "How clear is this speech?",
    "preference": "Which of the two do you prefer?",
    "abx": "Is X the same as A or as B?",
    "identification": "What do you hear?",
}
_LISTEN = "Use headphones and sit in a quiet place. Listen to every sound to its end before you answer."
TEXTS = {
    "consent": (
        "You take part in a study of speech. You will hear short sounds and answer a question about each. Your answers "
        "are stored without your name. You may stop at any time by closing the page."
    ),
    "headphones": "Put on your headphones now, and set the loudness so that you hear well.",
    "instructions": _LISTEN,
    "thanks": "Thank you for listening.",
}
INSTRUCTIONS = {
    "opinion": (
        f"{_LISTEN} Then say how clear the speech is, on the scale below. Now and then a voice asks for one answer: "
        "then give that answer."
    ),
    "preference": (
        f"{_LISTEN} You hear two sounds: say which you prefer. Now and then a voice asks for one answer: then give "
        "that answer."
    ),
    "abx": f"{_LISTEN} You hear A, B and X. X is the same as A or the same as B: say which.",
    "identification": (
        f"{_LISTEN} Then say what you heard; if you are not sure, guess. Now and then a voice asks for one answer: "
        "then give that answer."
    ),
}
