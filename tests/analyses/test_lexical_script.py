import pandas as pd
import pytest

from layerstats.corpora import demo_corpus
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


def test_heard(make, tmp_path):
    """Judgements of a store of generated speech, beside those of one of recorded words."""
    from layerstats.judges import record_judgements
    from layerstats.models import InfoWaveGAN, seeded
    from layerstats.probes import generate_speech

    with seeded(11):
        network = InfoWaveGAN("ciwgan", codes=2, width=1)
    said = record_judgements(generate_speech(network, voices=3), tmp_path / "said.zarr", ["classifier"])
    recorded = record_judgements(demo_corpus(voices=2), tmp_path / "recorded.zarr", ["classifier"])
    names = make("heard", tmp_path / "out", said, "--reference", recorded, "--draws", "50")
    assert names == {"claims", "heard", "heard_summary", "heard_codes", "heard_shares"}
    summary = check_frame(pd.read_csv(tmp_path / "out" / "heard_summary.csv"))
    ceiling = summary.query("measure == 'accuracy on recorded words'")
    assert ceiling["estimate"].item() > 0.95
    shares = check_frame(pd.read_csv(tmp_path / "out" / "heard_shares.csv", dtype={"code": "str"}))
    assert shares["tokens"].sum() == 2 * 3
