"""Tables and figures of analyses, collected into one page."""

from layerstats.report.output import Output
from layerstats.report.page import write_page

__all__ = ["Output", "write_page"]
