"""One page of everything that was made: what is claimed first, then figures, then tables."""

from layerstats.report.page.write import write_page

__all__ = ["write_page"]
