"""The texts of all paths through a few frames, by going through every one: the definition."""

import itertools

import numpy as np


def random_frames(seed, frames, alphabet, symbols):
    """Log-probabilities (frame, letter) in which only a few symbols can occur."""
    generator = np.random.default_rng(seed)
    scores = np.full((frames, len(alphabet.letters)), -np.inf)
    columns = [alphabet.letters.index(symbol) for symbol in symbols]
    scores[:, columns] = np.log(generator.dirichlet(np.ones(len(columns)), size=frames))
    return scores


def every_path(scores):
    """Pairs (path, log-probability) of all paths that are possible."""
    possible = np.flatnonzero(np.isfinite(scores[0]))
    for path in itertools.product(possible.tolist(), repeat=len(scores)):
        yield path, sum(scores[frame, letter] for frame, letter in enumerate(path))


def collapsed(path, blank):
    labels = [letter for letter, before in zip(path, (None, *path), strict=False) if letter != before]
    return [label for label in labels if label != blank]


def text_probabilities(scores, alphabet):
    """Probability of each text: the sum over its paths."""
    texts = {}
    for path, score in every_path(scores):
        text = alphabet.decode(collapsed(path, alphabet.blank))
        texts[text] = texts.get(text, 0.0) + np.exp(score)
    return texts
