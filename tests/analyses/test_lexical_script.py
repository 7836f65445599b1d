import pandas as pd
import pytest

from layerstats.tables import check_frame


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ciwgan", "fiwgan"])
def test_lexical(kind, make, tmp_path):
    """A network that has learned nothing: all tables and figures are made, and say so."""
    from layerstats.models import InfoWaveGAN, ModelCard, save_checkpoint, seeded

    with seeded(11):
        network = InfoWaveGAN(kind, codes=3, width=1)
    path = save_checkpoint(tmp_path / "network.safetensors", network, ModelCard(kind, "Random weights."))
    options = ["--seeds", "1", "--voices", "2", "--values", "3", "--draws", "100"]
    names = make("lexical", tmp_path / "out", path, *options)
    assert {"measures", "codes", "summary", "words", "heard", "heard_summary"} <= names
    assert ("bits" in names) == (kind == "fiwgan")
    summary = check_frame(pd.read_csv(tmp_path / "out" / "summary.csv"), "lexical_learning")
    accuracy = summary[summary["measure"] == "assignment accuracy"].set_index("network")["estimate"]
    assert accuracy["supervised"] > 0.95
    assert accuracy[kind] < 0.5
    spoken = pd.read_csv(tmp_path / "out" / "heard_summary.csv")
    ceiling = spoken[spoken["measure"] == "accuracy on recorded words"].set_index("judge")["estimate"]
    assert ceiling["classifier"] > 0.95
    assert ceiling["pocketsphinx"] > 0.8
