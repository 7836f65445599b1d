"""The `layerstats` command: where each of its commands is; expected errors are one line."""

from __future__ import annotations

from pathlib import Path

from layerstats.cli.analyses import scripts
from layerstats.cli.forms import TwoForms
from layerstats.cli.lazy_group import CommandSource, InModule, LazyGroup, lazy_app
from layerstats.cli.script import run_app

_START = {
    "demo": InModule("demo", "demo"),
    "example": InModule("example", "example"),
    "new": InModule("new", "new"),
    "doctor": InModule("doctor", "doctor"),
}
_TABLES = {
    "gamm": InModule("gamm", "gamm", ("cli/gamm_page.py",)),
    "clmm": InModule("clmm", "clmm", ("cli/clmm_page.py",)),
    "verify": InModule("verify", "verify"),
}
_NETWORKS = {
    "networks": InModule("networks", "networks"),
    "corpora": InModule("corpora", "corpora"),
    "train": InModule("train", "app"),
    "record": InModule("record", "record"),
    "relevance": InModule("relevance", "relevance"),
    "generate": InModule("generate", "generate"),
    "maximize": InModule("maximize", "maximize"),
    "judge": InModule("judge", "judge"),
    "audition": InModule("audition", "audition"),
    "synthesise": InModule("synthesise", "synthesise"),
    "cluster": InModule("cluster", "cluster"),
}
_STORES = {
    "info": InModule("stores", "info"),
    "export": InModule("stores", "export"),
    "upgrade": InModule("stores", "upgrade"),
}
_LISTENERS = {
    "listen": InModule("listen", "app"),
    "ratings": InModule("ratings", "ratings"),
}


def _is_store(path: str) -> bool:
    return (Path(path) / "zarr.json").exists() or (Path(path) / ".zgroup").exists()


def _given(arguments: list[str], *options: str) -> bool:
    return any(argument.partition("=")[0] in options for argument in arguments)


def _networks() -> dict[str, CommandSource]:
    """Return commands about networks; two have another form, which is a script of `analyses/`."""
    found: dict[str, CommandSource] = dict(_NETWORKS)
    analyses = scripts()
    found["networks"] = TwoForms(
        found["networks"],
        analyses["networks"],
        bool,
        (
            "`layerstats networks` lists the networks that commands take.",
            "`layerstats networks STORE ... --out DIR` compares the networks of stores.",
        ),
        "With STOREs",
    )
    found["relevance"] = TwoForms(
        found["relevance"],
        analyses["relevance-contrasts"],
        lambda arguments: _given(arguments, "--out") or _is_store("".join(arguments[:1])),
        (
            "`layerstats relevance NETWORK STORE` records what answers of a network rest on.",
            "`layerstats relevance STORE ... --out DIR` says on which phones they rest.",
        ),
        "With STOREs",
    )
    return found


def _listeners() -> dict[str, CommandSource]:
    """Return commands about listening tests; ratings beside published means are a script of `analyses/`."""
    found: dict[str, CommandSource] = dict(_LISTENERS)
    found["ratings"] = TwoForms(
        found["ratings"],
        scripts()["ratings"],
        lambda arguments: _given(arguments, "--published", "--columns"),
        (
            "`layerstats ratings TABLE|STORE --out DIR` writes what listeners answered.",
            "`layerstats ratings TABLE --out DIR --published MEANS` writes their means beside published ones.",
        ),
        "With --published",
    )
    return found


def _analyses() -> dict[str, CommandSource]:
    named = {"networks", "ratings"}
    return {name: script for name, script in scripts().items() if name not in named}


def _studies() -> dict[str, CommandSource]:
    return {"study": InModule("study", "app")}


app = lazy_app(
    "layerstats",
    "Statistics for what speech networks encode, layer by layer.",
    {
        "Begin": lambda: _START,
        "Models of tables": lambda: _TABLES,
        "Networks": _networks,
        "Stores": lambda: _STORES,
        "Analyses of stores, as tables and figures": _analyses,
        "Listeners": _listeners,
        "How often the tests err": _studies,
    },
)


def main() -> None:
    """Run the command line; an expected error is one line on stderr and exit status 2."""
    run_app(app, "layerstats")


__all__ = ["LazyGroup", "app", "main"]
