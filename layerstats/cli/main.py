"""The `layerstats` command: names the commands and turns expected errors into one line."""

from __future__ import annotations

import typer

from layerstats.cli import (
    audition,
    clmm,
    cluster,
    corpora,
    demo,
    doctor,
    example,
    gamm,
    generate,
    judge,
    listen,
    maximize,
    networks,
    ratings,
    record,
    relevance,
    stores,
    synthesise,
    train,
    verify,
)
from layerstats.cli.script import run_app

app = typer.Typer(
    name="layerstats",
    help="Statistics for what speech networks encode, layer by layer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("gamm")(gamm.gamm)
app.command("clmm")(clmm.clmm)
app.command("verify")(verify.verify)
app.command("example")(example.example)
app.command("record")(record.record)
app.command("relevance")(relevance.relevance)
app.command("generate")(generate.generate)
app.command("maximize")(maximize.maximize)
app.command("judge")(judge.judge)
app.command("ratings")(ratings.ratings)
app.command("audition")(audition.audition)
app.command("synthesise")(synthesise.synthesise)
app.command("corpora")(corpora.corpora)
app.command("cluster")(cluster.cluster)
app.command("networks")(networks.networks)
app.command("info")(stores.info)
app.command("export")(stores.export)
app.command("upgrade")(stores.upgrade)
app.command("doctor")(doctor.doctor)
app.add_typer(listen.app, name="listen")
app.add_typer(train.app, name="train")


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit status 2."""
    run_app(app, "layerstats")
