"""`layerstats generate` and `record --part`, as a user types them."""

from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.corpora import open_corpus
from layerstats.models import InfoWaveGAN, ModelCard, save_checkpoint, seeded
from layerstats.store import open_store


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_generate_and_record_both_parts(tmp_path):
    with seeded(1):
        network = InfoWaveGAN(codes=3, latent=10, width=1)
    checkpoint = save_checkpoint(tmp_path / "gan.safetensors", network, ModelCard("gan", "", training={"seed": 6}))
    folder = tmp_path / "speech"
    printed = run("generate", checkpoint, "--out", folder, "--voices", 2, "--value", 1, "--value", 2, "--codes", "0,2")
    assert "8 tokens of 2 codes by 2 voices" in " ".join(printed.stdout.split())
    assert open_corpus(f"generated:{folder}").words == ("code 0", "code 2")
    for part in ("q_network", "discriminator"):
        store = tmp_path / f"{part}.zarr"
        arguments = ["--corpus", f"generated:{folder}", "--part", part, "--layers", "conv5"]
        assert run("record", checkpoint, store, *arguments).exit_code == 0
        attributes = open_store(store).attrs
        assert {name: attributes[name] for name in ("network_kind", "part", "network_seed")} == {
            "network_kind": "ciwgan",
            "part": part,
            "network_seed": 6,
        }
