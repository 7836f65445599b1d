"""A small server that shows the page and keeps what raters hand in."""

from layerstats.listening.server.http_server import ANSWERS, SESSION, ListeningServer
from layerstats.listening.server.received import AnswersConflictError, ReceivedAnswers

__all__ = ["ANSWERS", "SESSION", "AnswersConflictError", "ListeningServer", "ReceivedAnswers"]
