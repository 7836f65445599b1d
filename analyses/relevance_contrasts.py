"""On which phones does a decision rest, and on which more than in untrained networks?

python analyses/relevance_contrasts.py STORE STORE ... --out DIR --by phone_class

Stores of relevance, each of one network and its untrained twins on the same tokens: `layerstats relevance`, or
`record_relevance`. Models of the same recordings are those of any other: `phones.py` and `contrast.py` with
`--recording`, `networks.py` with `--quantity`.
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from layerstats.cli import run_script
from layerstats.errors import ArgumentError
from layerstats.plots import phone_shares as draw_shares
from layerstats.report import Output
from layerstats.stats import OtherChoice, claims_of, phone_shares
from layerstats.store import Experiment, open_store

CAPTIONS = {
    "signed": "Relevance summed under the phones of a group, in parts of all that moves a token's score; above zero it "
    "speaks for the score. Mean over the tokens that have such a phone, with its interval for other speakers.",
    "absolute": "How much of all that moves a token's score lies under the phones of a group, whichever way.",
    "comparisons": "Trained minus the mean of untrained networks on the same tokens: p counts speakers. The last "
    "p-values count networks: how many of all rest on these phones as much as the trained one.",
}
TABLES = ("shares", "networks", "comparisons")
TITLES: dict[Any, str] = {"signed": "Shares of the score", "absolute": "Shares of all that moves the score"}


def main(
    stores: Annotated[list[Path], typer.Argument(help="Stores of relevance, of a network and its twins each.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    recording: Annotated[str, typer.Option(help="Recording of each store, by name; else its only relevance.")] = "",
    by: Annotated[str, typer.Option(help="Column of phones whose values are compared.")] = "phone_class",
    layer: Annotated[str, typer.Option(help="Where the score is traced back to; the input by default.")] = "",
    conf_level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
) -> Output:
    """Write what the score of each network owes to each group of phones, signed and whichever way."""
    views = {store.stem: opened(store, recording) for store in stores}
    first = next(iter(views.values())).recording_attrs
    about = {name: first[name] for name in ("method", "rules", "epsilon", "target") if name in first}
    output = Output(out, title="What decisions rest on", provenance={"stores": len(views), "by": by, **about})
    options: Any = {"by": by, "layer": layer or None, "conf_level": conf_level}
    signs = {}
    for sign in TITLES:
        signs[sign] = found = {name: phone_shares(view, sign=sign, **options) for name, view in views.items()}
        tables = [stacked({name: getattr(one, part) for name, one in found.items()}) for part in TABLES]
        shares, networks, compared = tables
        caption = " ".join([CAPTIONS[sign], *(f"{name}: {note}" for name in found for note in found[name].notes)])
        figure = draw_shares(shares, networks, facet="network")
        output.figure(figure, f"{sign}_shares", f"{TITLES[sign]} by {by}", caption)
        output.table(shares, sign, f"{TITLES[sign]} by {by}", caption)
        if len(compared):
            title = f"{TITLES[sign]}: trained minus untrained"
            output.table(compared, f"{sign}_untrained", title, CAPTIONS["comparisons"])
    for name, one in signs["signed"].items():
        others = [OtherChoice("sign", "absolute", "signed", signs["absolute"][name])]
        for rule in relevances(views[name]).difference([views[name].name]):
            found = phone_shares(views[name].recording(rule), **options)
            others.append(OtherChoice("rule", rule, views[name].name, found))
        output.claims(claims_of(one, network=name, others=others))
    return output


def opened(store: Path, recording: str) -> Experiment:
    """Return the recording that is meant: by name, or the only relevance of a trained network."""
    names = [recording] if recording else list(relevances(open_store(store)))
    if not names:
        raise ArgumentError(f"{store} holds no relevance: `layerstats relevance NETWORK STORE` records it.")
    if len(names) != 1:
        raise ArgumentError(f"Say with --recording which relevance of {store} is meant: {', '.join(names)}.")
    return open_store(store, recording=names[0])


def relevances(experiment: Experiment) -> pd.Index:
    """Return the names of the recordings of a trained network that may hold relevance."""
    return pd.Index(experiment.recordings.query("trained and quantity not in ['activation', 'input']")["recording"])


def stacked(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of several networks below each other, with their names in the first column."""
    frames = [table.assign(network=name) for name, table in tables.items() if len(table)]
    return pd.concat(frames, ignore_index=True).set_index("network").reset_index() if frames else pd.DataFrame()


if __name__ == "__main__":
    run_script(main)
