"""The cards of networks that ship, as pages: other pages link to the files beside the weights."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from written_pages import keep_only, write_page

CHECKPOINTS = Path(__file__).parents[2] / "data" / "checkpoints"
CARDS = sorted([*CHECKPOINTS.glob("*.md"), *CHECKPOINTS.glob("commands/*.md")])
HEAD = """# Networks that ship

`data/checkpoints` of the repository holds small networks, so that everything can be tried without a download. Each
has a card: what it is, what it was trained on and how well it does; [networks](../../how-to/networks.md)
says how they are opened.

```{toctree}
:maxdepth: 1

"""


def write_cards(app: Sphinx) -> None:
    """Write a page a card."""
    folder = Path(app.srcdir) / "reference" / "cards"
    pages = [write_page(folder / card.name, card.read_text(encoding="utf-8")) for card in CARDS]
    names = "\n".join(card.stem for card in CARDS)
    keep_only(folder, [*pages, write_page(folder / "index.md", f"{HEAD}{names}\n```\n")])


def link_cards(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let links to cards in the repository go to their pages."""
    source[0] = re.sub(
        r"\]\((?:\.\./)+data/checkpoints/(?:commands/)?(\w+)\.md\)", r"](/reference/cards/\1.md)", source[0]
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect with Sphinx."""
    app.connect("builder-inited", write_cards)
    app.connect("source-read", link_cards)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
