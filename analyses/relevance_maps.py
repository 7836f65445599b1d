"""What in the spectrogram does a letter, or a word, rest on? Krug & Stober (2018), Fig. 2.

python analyses/relevance_maps.py NETWORK --out DIR --letters a       # or --words yes: networks of mel spectrograms
"""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from layerstats.cli import listed, run_script
from layerstats.corpora import clips_for, open_corpus
from layerstats.errors import DataError
from layerstats.models import load_checkpoint
from layerstats.plots import SoundsAbove, relevance_map, sounds_above
from layerstats.probes import clip_maps, emitted_letters, letter_maps
from layerstats.report import Output

CAPTION = (
    "{what}, chosen at random ({rows}). Left: what the network heard. Then, over it, where its answer comes from, by "
    "each method; above: waveform and phones, dashed: their boundaries. As in Fig. 2 of Krug & Stober (2018)."
)


def main(
    network: Annotated[Path, typer.Argument(help="Checkpoint (.safetensors).")],
    out: Annotated[Path, typer.Option(help="Folder for figures.")],
    corpus: Annotated[str, typer.Option(help="The speech; demo:sentences or demo:35 by default.")] = "",
    letters: Annotated[str, typer.Option(help="Of a network of letters: letters, separated by commas.")] = "a",
    words: Annotated[str, typer.Option(help="Of a network of words: words, separated by commas.")] = "yes,no",
    methods: Annotated[str, typer.Option(help="Methods of relevance, separated by commas.")] = "gradient,adapted",
    windows: Annotated[int, typer.Option(help="Windows of each letter, or tokens of each word.")] = 2,
    utterances: Annotated[int, typer.Option(help="In which letters are looked for.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of the choice.")] = 0,
) -> Output:
    """Draw relevance over the spectrogram, a row a window or token and a column a method."""
    model, card = load_checkpoint(network)
    rng, chosen, reads = np.random.default_rng(seed), listed(methods) or [], hasattr(model, "alphabet")
    named = corpus or ("demo:sentences" if reads else "demo:35")
    speech = open_corpus(named, words=None if reads else listed(words), damaged="skip")
    speech = speech.subset(split="test") if "test" in set(speech.tokens["split"]) else speech
    output = Output(out, title="Relevance on the spectrogram", provenance={"corpus": named, "seed": seed})
    if not reads:
        for word, own in speech.tokens.groupby("word"):
            some = speech.subset(tokens=picked(own, windows, rng)["token"].tolist())
            clips = clips_for(model, some)
            phones, sounds = clips.phones, some.tokens.assign(group=numbered(some.tokens["token"]))
            maps = clip_maps(model, some, chosen, labels=card.outputs).rename(columns={"token": "place"})
            maps = maps.loc[maps["time_s"] < phones["offset_s"].max() + 0.1]
            above = sounds_above(sounds, some, clips)
            draw(output, maps, phones.assign(place=phones["token"]), f"word_{word}", f"Tokens of {word!r}", above)
        return output
    found = emitted_letters(model, speech.subset(tokens=picked(speech.tokens, utterances, rng)["token"].tolist()))
    for letter in listed(letters) or []:
        rows = picked(pd.DataFrame(found.query("letter == @letter and correct")), windows, rng)
        if rows.empty:
            raise DataError(f"No {letter!r} was read rightly in {utterances} utterances of {named}. Try more.")
        middles = pd.DataFrame({"place": rows["token"], "utterance": rows["utterance"], "middle_s": rows["time_s"]})
        phones = speech.phones.merge(middles, left_on="token", right_on="utterance")
        maps = letter_maps(model, speech, rows, chosen).drop(columns="utterance").rename(columns={"token": "place"})
        maps = maps.merge(middles, on="place").assign(time_s=lambda table: table["time_s"] - table["middle_s"])
        ends = {name: phones[name] - phones["middle_s"] for name in ("onset_s", "offset_s")}
        what, axis = f"Windows in which {letter!r} was read", "Time from the middle of the window (ms)"
        sounds = middles.assign(
            group=numbered(middles["place"]), token=middles["utterance"], zero_s=middles["middle_s"]
        )
        draw(output, maps, phones.assign(**ends), f"letter_{letter}", what, sounds_above(sounds, speech), axis)
    return output


def picked(table: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return some rows of a table, in their order."""
    return table.iloc[np.sort(rng.permutation(len(table))[:count])]


def numbered(places: Any) -> list[str]:
    """Return the numbers of windows or tokens: their names are long."""
    return [str(1 + number) for number in pd.factorize(places)[0]]


def draw(
    output: Output,
    maps: pd.DataFrame,
    phones: pd.DataFrame,
    name: str,
    what: str,
    above: SoundsAbove,
    axis: str = "Time (ms)",
) -> None:
    """Write the figure of one letter or word, a row of panels a window or token."""
    numbers = dict(zip(maps["place"], numbered(maps["place"]), strict=True))
    rows, marks = (table.assign(row=[numbers.get(one) for one in table["place"]]) for table in (maps, phones))
    figure = relevance_map(rows, marks.dropna(subset="row"), row="row", beside="method", x_label=axis, above=above)
    told = {"what": what, "rows": "; ".join(f"{number}: {place}" for place, number in numbers.items())}
    output.figure(figure, name, f"{what}: where it comes from", CAPTION.format(**told))


if __name__ == "__main__":
    run_script(main)
