"""Who says what a clip is: classifiers, recognisers, and whatever keeps to the protocol `Judge`, in one frame.

A judgement is a row ``token, judge, response, score``. Importing this room imports neither torch nor pocketsphinx: a
judge asks for what it needs when it is made.
"""

from layerstats.judges.judgement_tables import record_judgements
from layerstats.judges.judging import DEFAULT_JUDGES, hear_words, judge_speech
from layerstats.judges.outcome_judging import judge
from layerstats.judges.people import People
from layerstats.judges.protocol import JUDGEMENT_COLUMNS, Judge, JudgeOptions, NetworkJudge, check_judgements
from layerstats.judges.registry import JUDGES, open_judge
from layerstats.judges.word_recogniser import NOTHING, WordRecogniser
from layerstats.judges.words_classifier import WordsClassifier

__all__ = [
    "DEFAULT_JUDGES",
    "JUDGEMENT_COLUMNS",
    "JUDGES",
    "NOTHING",
    "Judge",
    "JudgeOptions",
    "NetworkJudge",
    "People",
    "WordRecogniser",
    "WordsClassifier",
    "check_judgements",
    "hear_words",
    "judge",
    "judge_speech",
    "open_judge",
    "record_judgements",
]
