"""`layerstats listen`: tests with people, from their design to their answers."""

from __future__ import annotations

import typer

from layerstats.cli import (
    listen_clean,
    listen_design,
    listen_export,
    listen_page,
    listen_power,
    listen_read,
    listen_serve,
)

app = typer.Typer(help="Ask people what they hear.", no_args_is_help=True)
app.command("design")(listen_design.design)
app.command("power")(listen_power.power)
app.command("page")(listen_page.page)
app.command("serve")(listen_serve.serve)
app.command("read")(listen_read.read)
app.command("clean")(listen_clean.clean)
app.command("export")(listen_export.export)
