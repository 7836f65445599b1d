"""Statistics for what speech networks encode, layer by layer.

The public names below are imported when they are first used, so that `import layerstats` loads neither
torch nor R nor pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerstats.on_demand import on_demand

if TYPE_CHECKING:
    from layerstats.corpora import Clips, Corpus, open_corpus
    from layerstats.probes import record_activations, record_untrained
    from layerstats.stats import channel_contrasts, phone_contrast, word_contrasts
    from layerstats.stats.gamm import compare, difference, fit, fit_many
    from layerstats.store import Experiment, open_store
    from layerstats.tables import read_table

__version__ = "0.1.0"

__all__ = [
    "Clips",
    "Corpus",
    "Experiment",
    "channel_contrasts",
    "compare",
    "difference",
    "fit",
    "fit_many",
    "open_corpus",
    "open_store",
    "phone_contrast",
    "read_table",
    "record_activations",
    "record_untrained",
    "word_contrasts",
]

_ROOMS = {
    "Clips": "corpora",
    "Corpus": "corpora",
    "open_corpus": "corpora",
    "Experiment": "store",
    "open_store": "store",
    "record_activations": "probes",
    "record_untrained": "probes",
    "channel_contrasts": "stats",
    "phone_contrast": "stats",
    "word_contrasts": "stats",
    "compare": "stats.gamm",
    "difference": "stats.gamm",
    "fit": "stats.gamm",
    "fit_many": "stats.gamm",
    "read_table": "tables",
}


__getattr__ = on_demand(__name__, _ROOMS)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
