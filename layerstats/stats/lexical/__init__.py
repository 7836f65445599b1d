"""What the codes of a network say about words, and what is heard in what it says."""

from layerstats.stats.lexical.features import feature_association
from layerstats.stats.lexical.hearing import Heard, heard
from layerstats.stats.lexical.learning import LexicalLearning, lexical_learning
from layerstats.stats.lexical.responses import likeliest_responses, stored_responses

__all__ = [
    "Heard",
    "LexicalLearning",
    "feature_association",
    "heard",
    "lexical_learning",
    "likeliest_responses",
    "stored_responses",
]
