"""Make wav2letter: a slim network that reads letters off the sentences of the built-in corpus.

1. `python data/checkpoints/make_wav2letter.py speech --folder FOLDER` says the sentences and computes mel spectrograms.
2. `... train --folder FOLDER` trains; it goes on where it was killed.
3. `... measure --folder FOLDER [--librispeech PATH]` measures what came out and writes it here, as
   float16, with its card and its curves.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from layerstats.corpora import Corpus, demo_corpus, demo_sentences, read_librispeech, texts
from layerstats.corpora.audio import MemoryAudio
from layerstats.corpora.sentences import is_held_out
from layerstats.models import UTTERANCES, MelFrontEnd, ModelCard, Wav2Letter, load_checkpoint, save_checkpoint
from layerstats.models.letters import error_rates
from layerstats.plots import save_figure, training_curves
from layerstats.training import UtteranceFeatures, read_letters, train_letters, utterance_features

HERE = Path(__file__).resolve().parent
LEARNED = 5000  # sentences drawn; four in five of them are learned from
TESTED = 1000  # of which the test side is measured
MANNERS = 3  # each sentence is said in so many manners, by a voice each
SETTINGS = {
    "width": 64,
    "top": 256,
    "epochs": 12,
    "batch_size": 8,
    "learning_rate": 2e-3,
    "schedule": "one_cycle",
    "precision": "bfloat16",
    "device": "cpu",
}
HARDWARE = "one core of an AMD EPYC processor with AVX-512 and bfloat16 instructions, shared with other work"
HELD_OUT = ("held_out_voices", "held_out_sentences", "held_out_both")
PIECE, SHORTEST_PIECE = 8, 15  # words and letters of what held-out voices say at once of other texts
DRAWS = 10_000
LIMITS = (
    "The voices are synthetic, and the held-out ones share accents or timbres with those trained on; held-out "
    "sentences are drawn from the same patterns and word lists as those trained on: 99% of their words are known.",
    "Narrower than the published network, so that it ships.",
)


def speech() -> Corpus:
    """Return what is learned from, with the test side of the built-in corpus's sentences.

    The voices and sentences that `demo:sentences` holds out are held out here too. All other voices there are say the
    other sentences, at rates and pitches drawn by seeds 0, 1, ...
    """
    demo = demo_corpus(sentences=demo_sentences(TESTED)).subset(split="test")
    new = set(demo.tokens.loc[demo.tokens["voice_split"] == "test", "speaker"])
    voices = sorted(set(demo_corpus(words=["a"], voices=128).tokens["speaker"]) - new)
    sentences = [sentence for sentence in demo_sentences(LEARNED) if not is_held_out(sentence)]
    tokens, phones = [demo.tokens], [demo.phones]
    audio = {token: demo.audio(token) for token in demo.tokens["token"]}
    for manner in range(MANNERS):
        said = demo_corpus(sentences=sentences, voices=voices, said_by=1, seed=manner)
        names = {token: f"{token}_{manner}" for token in said.tokens["token"]}
        tokens.append(said.tokens.assign(token=said.tokens["token"].map(names), split="train"))
        phones.append(said.phones.assign(token=said.phones["token"].map(names)))
        audio |= {name: said.audio(token) for token, name in names.items()}
    name = "demo:sentences with more voices"
    return Corpus(name, pd.concat(tokens), pd.concat(phones), demo.rate_hz, MemoryAudio(audio))


def save_features(path: Path) -> None:
    """Compute spectrograms and keep them."""
    features = utterance_features(speech(), MelFrontEnd(**UTTERANCES))
    told = {"mels": features.mels, "starts": torch.from_numpy(features.starts), "front_end": dict(features.front_end)}
    told |= {"tokens": features.tokens.to_dict("list"), "name": features.name, "content_hash": features.content_hash}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(told, path)


def load_features(path: Path) -> UtteranceFeatures:
    """Read what `save_features` kept."""
    told = torch.load(path, weights_only=True)
    return UtteranceFeatures(**{**told, "starts": told["starts"].numpy(), "tokens": pd.DataFrame(told["tokens"])})


def train(folder: Path) -> None:
    """Train, or go on, and write the network with its history."""
    features = load_features(folder / "features.pt")
    resume = (folder / "state.pt").exists()
    result = train_letters(features, **SETTINGS, folder=folder, resume=resume)
    save_checkpoint(folder / "wav2letter.safetensors", result.model, result.card)
    print(result.error_rates.to_string(index=False), flush=True)


def told_errors(model: Wav2Letter, features: UtteranceFeatures, rows: np.ndarray) -> str:
    """Error rates; for the interval of the letters' speakers are drawn anew, each with all of their speech."""
    read = pd.Series(read_letters(model, features, rows))
    said = features.tokens["text"].iloc[rows].reset_index(drop=True)
    speakers = features.tokens["speaker"].iloc[rows].to_numpy()
    counts = []
    for speaker in np.unique(speakers):
        own = speakers == speaker
        rates = error_rates(said[own], read[own])
        counts.append((rates.letter_error_rate * rates.letters, rates.letters))
    drawn = np.array(counts)[np.random.default_rng(0).integers(len(counts), size=(DRAWS, len(counts)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    rates = error_rates(said, read)
    return (
        f"letter error rate {rates.letter_error_rate:.3f} (95% interval over {len(counts)} speakers {low:.3f} to "
        f"{high:.3f}), word error rate {rates.word_error_rate:.3f}; {len(rows)} utterances, {rates.letters} letters"
    )


def measure_librispeech(model: Wav2Letter, corpus: Corpus, features: UtteranceFeatures) -> dict[str, str]:
    """Tell what is read of people, and of the same texts by held-out voices: new words without new kinds of voices."""
    heard = utterance_features(corpus, model.front_end)
    words = [text.split() for text in texts(corpus.tokens)]
    pieces = [" ".join(text[start : start + PIECE]) for text in words for start in range(0, len(text), PIECE)]
    said = list(dict.fromkeys(piece for piece in pieces if len(piece) >= SHORTEST_PIECE))
    voices = sorted(set(features.tokens["speaker"].iloc[features.rows("held_out_both")]))
    known = set(" ".join(features.tokens["text"].iloc[features.rows("train")]).split())
    share = np.mean([word in known for piece in said for word in piece.split()])
    synthetic = utterance_features(demo_corpus(sentences=said, voices=voices, said_by=1), model.front_end)
    told = told_errors(model, synthetic, np.arange(len(said)))
    return {
        "librispeech_test_other_sample": told_errors(model, heard, np.arange(len(heard.tokens))),
        "its_texts_by_held_out_voices": f"{told}; {share:.0%} of their words are known",
    }


def measure(folder: Path, librispeech: Path | None) -> None:
    """Write the network as float16 here, with what it reads of held-out and of real speech on its card."""
    trained, card = load_checkpoint(folder / "wav2letter.safetensors")
    path = save_checkpoint(HERE / "wav2letter.safetensors", trained, card, dtype="float16")
    model, _ = load_checkpoint(path)
    features = load_features(folder / "features.pt")
    evaluation = {side: told_errors(model, features, features.rows(side)) for side in HELD_OUT}
    evaluation["train"] = card.evaluation["train"]
    limits = [*card.limits, *LIMITS]
    if librispeech is not None:
        corpus = read_librispeech(librispeech)
        for name, told in measure_librispeech(model, corpus, features).items():
            evaluation[name] = told
        rate = evaluation["librispeech_test_other_sample"].split(" (")[0]
        limits.append(f"Real speech is another matter: on a sample of LibriSpeech test-other, {rate}.")
    training = {**card.training, "hardware": HARDWARE, "sentences": _distinct(features), **_stopped(card)}
    card = dataclasses.replace(card, name="wav2letter", training=training, evaluation=evaluation, limits=tuple(limits))
    save_checkpoint(path, trained, card, dtype="float16")
    history = pd.read_csv(folder / "history.csv")
    history.round(5).to_csv(HERE / "wav2letter_history.csv", index=False)
    save_figure(training_curves(history), HERE / "wav2letter_history").svg.unlink()
    print(card.to_markdown())


def _distinct(features: UtteranceFeatures) -> int:
    return features.tokens.loc[features.tokens["side"] == "train", "text"].nunique()


def _stopped(card: ModelCard) -> dict[str, str]:
    planned = int(SETTINGS["epochs"])
    return {"stopped": f"before the last of {planned} epochs"} if card.training["epochs"] < planned else {}


def main() -> None:
    """Do one of the three steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["speech", "train", "measure"])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--librispeech", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.step == "speech":
        save_features(given.folder / "features.pt")
    elif given.step == "train":
        train(given.folder)
    else:
        measure(given.folder, given.librispeech)


if __name__ == "__main__":
    main()
