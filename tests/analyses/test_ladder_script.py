import pandas as pd

from layerstats.models import CommandClassifier, MelAutoencoder, ModelCard, save_checkpoint, seeded
from layerstats.store import open_store
from layerstats.tables import check_frame


def test_ladder(make, tmp_path):
    """Networks that have learned nothing: everything is made, judged and compared, and only once."""
    paths = {}
    for seed, name in enumerate(("target", "other")):
        with seeded(seed):
            network = CommandClassifier(outputs=2, channels=(2, 2, 2), hidden=(4, 4, 4))
        card = ModelCard(name, "Random weights.", outputs=("yes", "no"))
        paths[name] = save_checkpoint(tmp_path / f"{name}.safetensors", network, card)
    with seeded(2):
        autoencoder = MelAutoencoder(codes=4, channels=(2, 2, 2, 2))
    prior = save_checkpoint(tmp_path / "autoencoder.safetensors", autoencoder, ModelCard("autoencoder", "Untrained."))
    store = tmp_path / "ladder.zarr"
    options = ["--prior", "none", "--prior", f"autoencoder:{prior}", "--judges", paths["other"], "--starts", "2",
               "--steps", "2,4"]  # fmt: skip
    names = make("ladder", tmp_path / "out", paths["target"], store, *options)
    assert names == {"claims", "ladder", "ladder_contrasts", "ladder_curves"}
    curves = check_frame(pd.read_csv(tmp_path / "out" / "ladder_curves.csv").fillna({"null": ""}), "ladder")
    assert curves.loc[curves["along"] == "steps", "place"].unique().tolist() == [0, 2, 4]
    assert set(curves["null"]) == {"", "random_direction"}
    contrasts = pd.read_csv(tmp_path / "out" / "ladder_contrasts.csv")
    assert set(contrasts["set_up_1"]) == {"autoencoder"}
    written = open_store(store).outcomes["created_at"].tolist()
    make("ladder", tmp_path / "again", paths["target"], store, *options)
    assert open_store(store).outcomes["created_at"].tolist() == written
    again = (tmp_path / "again" / "ladder_curves.csv").read_bytes()
    assert again == (tmp_path / "out" / "ladder_curves.csv").read_bytes()
