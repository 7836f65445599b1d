"""Tables and figures of analyses, collected into one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.on_demand import on_demand
from layerstats.report.output import Output
from layerstats.report.page import write_page

if TYPE_CHECKING:
    from layerstats.report.listeners.answer_settings import AnswerSettings
    from layerstats.report.listeners.listener_output import ListenerOutput
    from layerstats.report.listeners.results import write_answers

__all__ = ["AnswerSettings", "ListenerOutput", "Output", "write_answers", "write_page"]

# What listeners answered needs statistics, which an output does not.
__getattr__ = on_demand(
    __name__,
    {
        "AnswerSettings": "listeners.answer_settings",
        "ListenerOutput": "listeners.listener_output",
        "write_answers": "listeners.results",
    },
)
