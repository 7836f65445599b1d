"""One token of each word, from its waveform to the last layer. Begus & Zhou (2022), Fig. 2.

python analyses/series.py STORE --out DIR --corpus demo
"""

import re
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from layerstats.cli import listed, run_script
from layerstats.corpora import Clips, open_corpus
from layerstats.plots import layer_series
from layerstats.report import Output
from layerstats.store import open_store


def main(
    store: Annotated[Path, typer.Argument(help="The store.")],
    out: Annotated[Path, typer.Option(help="Folder for figures.")],
    corpus: Annotated[str, typer.Option(help="The speech that was recorded, for waveforms: demo, timit:PATH.")] = "",
    words: Annotated[str, typer.Option(help="Words, separated by commas; all by default.")] = "",
    layers: Annotated[str, typer.Option(help="Layers, separated by commas; all by default.")] = "",
    share_sounds: Annotated[bool, typer.Option(help="Sounds of the corpus may be passed on: you say so.")] = False,
    recording: Annotated[str, typer.Option(help="Recording of the store, by name; the activations by default.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the choice of tokens.")] = 0,
) -> Output:
    """Draw one token of each word, chosen at random."""
    experiment = open_store(store, recording=recording or None).select(
        layer=listed(layers) or None, word=listed(words) or None
    )
    output = Output(out, title="Series", provenance={"store": store.name, "corpus": corpus, "seed": seed})
    tokens = experiment.tokens
    chosen = listed(words) or sorted(tokens["word"].unique())
    generator = np.random.default_rng(seed)
    names = [str(generator.choice(tokens.loc[tokens["word"] == word, "token"])) for word in chosen]
    speech = open_corpus(corpus, damaged="skip").subset(tokens=names) if corpus else None
    clips = Clips(speech, too_long="trim") if speech else None
    for word, name in zip(chosen, names, strict=True):
        one = experiment.select(token=name)
        row = tokens.set_index("token").loc[name]
        figure = layer_series(
            clips.waveform(name) if clips else None,
            clips.rate_hz if clips else None,
            one.to_frame(),
            phones=one.phones,
            title=f"{word}, speaker {row['speaker']}",
            limits_ms=(0.0, 1000 * (row["onset_s"] + row["duration_s"]) + 100),
            value_label=experiment.value_label,
        )
        caption = (
            "One token, chosen at random: the mean over each layer's channels where the centre of its receptive "
            "field lies. Dashed: phone boundaries. As in Fig. 2 of Begus & Zhou (2022)."
        )
        output.figure(
            figure, re.sub(r"[^\w.-]", "_", f"series_{word}"), f"{word}: from the waveform to the last layer", caption
        )
    if speech:
        heard = tokens.set_index("token").loc[names, ["word", "speaker"]].reset_index().assign(why="chosen at random")
        said = "The tokens of the figures, one of each word."
        output.sounds(heard, speech, "sounds", "Tokens to listen to", said, share=share_sounds)
    return output


if __name__ == "__main__":
    run_script(main)
