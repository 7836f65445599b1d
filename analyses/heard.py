"""What do judges hear when a generator says its codes? From the judgements in a store.

python analyses/heard.py STORE --out DIR --reference STORE_OF_RECORDED_WORDS
"""

from pathlib import Path
from typing import Annotated

import typer

from layerstats.cli import run_script
from layerstats.plots import heard_words
from layerstats.report import Output
from layerstats.stats import claims_of, heard, stored_responses
from layerstats.store import open_store

CAPTION = (
    "Every code said with the same noise vectors, over which intervals are. Some word is heard in anything: chance is "
    "what is heard whatever the code; accuracy on recorded words is what the judges can do."
)


def main(
    store: Annotated[Path, typer.Argument(help="Generated speech with judgements: layerstats judge STORE.")],
    out: Annotated[Path, typer.Option(help="Folder for tables and figures.")],
    reference: Annotated[Path | None, typer.Option(help="Recorded words, judged by the same judges.")] = None,
    draws: Annotated[int, typer.Option(help="Bootstrap samples and permutations.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of both.")] = 0,
) -> Output:
    """Count which words judges hear in each code, how consistently, and whether they agree."""
    experiment, other = open_store(store), None if reference is None else open_store(reference)
    output = Output(out, title="What is heard in generated speech", provenance={"store": store.name, "seed": seed})
    recorded = None if other is None else stored_responses(other)
    result = heard(stored_responses(experiment), recorded, draws=draws, seed=seed)
    output.figure(heard_words(result.shares), "heard", "Words heard in generated speech", CAPTION)
    output.table(result.summary, "heard_summary", "What is heard, over all codes", CAPTION)
    output.claims(claims_of(result))
    output.table(result.codes, "heard_codes", "What is heard, code by code")
    output.table(result.shares, "heard_shares", "Words heard in each code")
    return output


if __name__ == "__main__":
    run_script(main)
