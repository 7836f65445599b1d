"""A store with recordings of several quantities, vectors of phones, outcomes, and every kind of table of results.

    python tests/store/example_store.py

writes it to R/inst/extdata, where the R package's own examples and tests read it.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "archive")]

from outcome_recorder import record  # noqa: E402
from small_store import CREATED, make_store, tidy_phones, tidy_tokens  # noqa: E402

from layerstats.store import LayerSpec, RecordingWriter, VariableSpec, store_arrays, store_table  # noqa: E402

HEARD = pd.DataFrame({"token": ["tok00", "tok04"], "judge": "J", "response": ["ask", None], "score": [0.5, np.nan]})
RATED = pd.DataFrame({"token": ["tok00", "tok04"], "rater": ["r1", "r2"], "rating": [3, 5], "note": ['ü, "x"', None]})
COUNTED = pd.DataFrame({"label": ["a", "b"], "count": [3, 4], "mean": [0.1, np.nan]})


def make_example(path):
    """Write the store and return its path."""
    path = make_store(path)
    tokens, phones = tidy_tokens(), tidy_phones(tidy_tokens())
    layer = LayerSpec("conv1", None, [VariableSpec("phones", sizes={"channel": 3})])
    values = np.arange(3.0 * len(phones)).reshape(-1, 3)
    options = {"key": "k", "shard_tokens": 5, "created_at": CREATED}
    with RecordingWriter(path, "vectors", tokens, phones, [layer], **options) as writer:
        for rows in writer.missing():
            writer.write(rows, {"conv1": {"phones": values[writer.phone_rows(rows)]}})
        writer.finish()
    maps = np.random.default_rng(3).normal(size=(12, 3, 8)).astype("float32")
    about = {"quantity": "relevance", "rule": "epsilon"}
    given = {"phones": phones, "time_s": {"conv1": np.arange(8) / 8}, "created_at": CREATED}
    store_arrays(path, tokens, {"conv1": maps}, name="epsilon", attrs=about, **given)
    tables = {"judgements": ("words", HEARD), "ratings": ("people", RATED), "averages": ("letters", COUNTED)}
    for kind, (name, frame) in tables.items():
        store_table(path, kind, name, frame, created_at=CREATED)
    record(path)
    return path


if __name__ == "__main__":
    archive = HERE.parents[1] / "R" / "inst" / "extdata" / "small.zarr.zip"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make_example(Path(folder) / "small.zarr")
        shutil.make_archive(str(archive.with_suffix("")), "zip", folder)
