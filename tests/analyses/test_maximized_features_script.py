from layerstats.models import CommandClassifier, MelAutoencoder, ModelCard, save_checkpoint, seeded
from layerstats.probes import maximize_activations


def test_maximized_features(make, tmp_path):
    """Two set-ups of a network that has learned nothing, one of them with codes that a checkpoint decodes."""
    with seeded(0):
        network = CommandClassifier(outputs=2, channels=(2, 2, 2), hidden=(4, 4, 4))
        autoencoder = MelAutoencoder(codes=4, channels=(2, 2, 2, 2))
    path = save_checkpoint(
        tmp_path / "autoencoder.safetensors", autoencoder, ModelCard("autoencoder", "Random weights.")
    )
    card = ModelCard("small", "Random weights.", outputs=("yes", "no"))
    for prior in ("none", f"autoencoder:{path}"):
        maximize_activations(network, card.outputs, tmp_path / "s.zarr", prior=prior, starts=1, steps=1, card=card)
    names = make("maximized_features", tmp_path / "out", tmp_path / "s.zarr", "--prior", f"autoencoder:{path}")
    assert names == {"maximized_features"}
