"""A damaged store is an error that names the file and says what mends it; following the advice mends it."""

import json
import random
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr
from small_store import make_store
from typer.testing import CliRunner

from layerstats.cli.main import app
from layerstats.errors import LayerstatsError, StoreError
from layerstats.store import check_store, open_store, store_table, without_checksums

RECORDING = (
    r"is damaged: {}.*Remove the folder .*s\.zarr/recordings/activations and run the call that recorded it again"
)
TABLES = r"is damaged: {}.*Run the call that recorded it again: it writes the tables anew"


def edit(**changes):
    """Change attributes; None removes one."""

    def change(file):
        metadata = json.loads(file.read_text())
        attributes = {**metadata["attributes"], **changes}
        metadata["attributes"] = {name: value for name, value in attributes.items() if value is not None}
        file.write_text(json.dumps(metadata))

    return change


def replace(old, new):
    return lambda file: file.write_text(file.read_text().replace(old, new))


def truncate(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file):
    file.write_bytes(b"")


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0x20
    file.write_bytes(data)


def remove(file):
    shutil.rmtree(file) if file.is_dir() else file.unlink()


def make_folder(file):
    file.unlink()
    file.mkdir()


def contents(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.fixture
def path(store_path, tmp_path):
    return shutil.copytree(store_path, tmp_path / "s.zarr")


def use(path):
    """All that an analysis reads."""
    experiment = open_store(path)
    experiment.to_frame()
    experiment.to_frame(values="maps")
    for layer in experiment.layers:
        experiment.layer(layer).load()
    return experiment.phones, experiment.tree


MAPS = "recordings/activations/conv1/maps/c/1/0/0"
CHUNK = "recordings/activations/conv1/mean/c/0/0"
OF_A_RECORDING = [
    *[(CHUNK, damage) for damage in (truncate, empty, flip, remove, make_folder)],
    (MAPS, flip),
    (MAPS, remove),
    ("recordings/activations/conv2/time_s/c/0", remove),
    ("recordings/activations/conv1/mean/c", remove),
    ("recordings/activations/conv1/zarr.json", remove),
    ("recordings/activations/conv1/zarr.json", empty),
    ("recordings/activations/conv1/zarr.json", make_folder),
    ("recordings/activations/conv1/zarr.json", lambda file: file.write_text("[]")),
    ("recordings/activations/conv1/zarr.json", lambda file: file.write_bytes(b'{"zarr_format": "\xfc"}')),
    ("recordings/activations/conv1/mean/zarr.json", remove),
    ("recordings/activations/conv2/maps/zarr.json", remove),
    ("recordings/activations/conv2/maps/zarr.json", empty),
    ("recordings/activations/conv2/mean/zarr.json", replace("float32", "float64")),
    ("recordings/activations/conv2/mean/zarr.json", replace("12,", "19200000000,")),
    ("recordings/activations/zarr.json", edit(shard_tokens=None)),
    ("recordings/activations/zarr.json", edit(shard_tokens=0)),
    ("recordings/activations/zarr.json", edit(variables="mean")),
    ("recordings/activations/zarr.json", edit(quantity=None)),
    ("recordings/activations/zarr.json", edit(shard_tokens="64")),
    ("recordings/activations/zarr.json", edit(layers=["conv1", "../../tokens"])),
    ("recordings/activations/zarr.json", edit(layers=["conv1", 3])),
    ("recordings/activations/token/c/0", remove),
    ("recordings/activations/token/zarr.json", replace("12", "13")),
    ("recordings/activations/conv1/zarr.json", edit(variables=["mean", "../maps"])),
    ("recordings/activations/conv1/zarr.json", edit(variables=[])),
    ("recordings/activations/conv1/zarr.json", edit(labels=None)),
    ("recordings/activations/zarr.json", edit(layers=["conv1", "conv9"])),
    ("recordings/activations/zarr.json", edit(trained="yes")),
]
OF_TABLES = [
    ("tokens/word/c/0", remove),
    ("tokens/word/c/0", flip),
    ("tokens/word/c", remove),
    ("tokens/split", remove),
    ("tokens/zarr.json", remove),
    ("tokens/zarr.json", edit(columns=["token", "../recordings/activations/token", "word", "speaker", "split"])),
    ("tokens/zarr.json", edit(columns=["token", "word"])),
    ("tokens/zarr.json", edit(columns=None)),
    ("tokens/token/zarr.json", empty),
    ("tokens/token/zarr.json", remove),
    ("phones", remove),
    ("phones/label/c/0", truncate),
]


@pytest.mark.parametrize(("place", "damage"), OF_A_RECORDING)
def test_damaged_recording(path, place, damage):
    damage(path / place)
    with pytest.raises(StoreError, match=r"is damaged: recordings/activations|metadata .* are damaged") as error:
        use(path)
    found = check_store(path)
    assert found
    assert all("activations" in problem and "Remove the folder" in problem for problem in found)
    assert "Remove the folder" in str(error.value)


@pytest.mark.parametrize(("place", "damage"), OF_TABLES)
def test_damaged_tables_are_an_error_and_written_anew(path, place, damage):
    before = contents(path)
    damage(path / place)
    with pytest.raises(StoreError, match=TABLES.format(r"(tokens|phones)")):
        use(path)
    (problem,) = check_store(path)
    assert re.search(TABLES.format(r"(tokens|phones)"), problem)
    make_store(path)
    assert contents(path) == before


@pytest.mark.parametrize("place", ["tokens/age/c/0", "phones/onset_s/c/0"])
def test_values_of_tables_that_were_changed_are_noticed_by_their_hash(path, place):
    array = zarr.open_array((path / place).parents[1], mode="r+")
    array[0] = 99.0
    (problem,) = check_store(path)
    assert "tables_hash differs" in problem


@pytest.mark.parametrize(("place", "damage"), [entry for entry in OF_A_RECORDING if entry != (MAPS, flip)])
def test_the_same_call_does_not_take_a_damaged_recording_for_a_finished_one(path, place, damage):
    before = contents(path)
    damage(path / place)
    with pytest.raises(StoreError, match=r"emove the folder \S*s\.zarr/recordings/activations") as error:
        make_store(path)
    # The advice, followed.
    shutil.rmtree(re.search(r"emove the folder (\S+/activations)", str(error.value))[1])
    make_store(path)
    assert contents(path) == before


def test_what_holds_nothing_is_written_anew(path):
    before = contents(path)
    (path / "recordings/zarr.json").unlink()
    use(path)
    make_store(path)
    assert contents(path) == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (empty, r"metadata .*zarr.json are damaged .*Restore the file from a copy"),
        (edit(schema_version=-1), "schema_version is -1, which is no whole number"),
        (edit(schema_version="2"), "schema_version is '2', which is no whole number"),
        (lambda file: file.write_text('{"zarr_format":3,"node_type":"group","attributes":[1]}'), "are damaged"),
    ],
)
def test_damaged_root(path, damage, message):
    damage(path / "zarr.json")
    for attempt in (open_store, check_store, make_store):
        with pytest.raises(StoreError, match=message):
            attempt(path)


def test_no_flipped_bit_of_a_value_goes_unnoticed(path):
    whole = [contents(path), open_store(path).to_frame(values="maps")]
    chunks = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name != "zarr.json"]
    draw = random.Random(0)
    for _ in range(30):
        file = draw.choice(chunks)
        data = bytearray(file.read_bytes())
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        good = file.read_bytes()
        file.write_bytes(data)
        if not check_store(path):
            # A bit of the frame's header that no decoder looks at.
            assert open_store(path).to_frame(values="maps").equals(whole[1])
        file.write_bytes(good)
    assert contents(path) == whole[0]
    assert check_store(path) == []


@pytest.mark.parametrize(
    ("place", "damage", "message"),
    [
        ("recordings/untrained_00/zarr.json", remove, "is missing, but"),
        ("recordings/zarr.json", remove, "is missing, but"),
        ("recordings/zarr.json", truncate, "says something else"),
        ("recordings/activations/conv1/zarr.json", edit(slope=9), "says something else"),
        ("judgements/words/zarr.json", remove, "is missing, but"),
        ("judgements/zarr.json", truncate, "says something else"),
        ("judgements/words/score/zarr.json", edit(units="s"), "says something else"),
    ],
)
def test_metadata_that_are_lost_or_changed_are_noticed_by_their_copy(path, place, damage, message):
    def judge():
        heard = pd.DataFrame({"token": open_store(path).tokens["token"], "judge": "J", "response": "ä", "score": 0.5})
        store_table(path, "judgements", "words", heard, created_at="2026-01-02T03:04:05Z")

    judge()
    before = contents(path)
    damage(path / place)
    (problem,) = check_store(path)
    assert f"is damaged: {place} {message}" in problem
    # The advice, followed.
    what = Path(re.search(r"emove the (?:file|folder) (\S+) and run", problem)[1])
    shutil.rmtree(what) if what.is_dir() else what.unlink(missing_ok=True)
    make_store(path)
    judge()
    assert contents(path) == before


def test_a_root_without_the_metadata_of_its_parts_is_noticed(path):
    metadata = json.loads((path / "zarr.json").read_text())
    del metadata["consolidated_metadata"]
    (path / "zarr.json").write_text(json.dumps(metadata))
    (problem,) = check_store(path)
    assert "consolidated_metadata" in problem


def test_stray_files_mean_nothing(path):
    for name in (
        ".DS_Store",
        "._zarr.json",
        "recordings/activations/.DS_Store",
        "recordings/activations/conv1/mean/c/.DS_Store",
    ):
        (path / name).touch()
    (path / "recordings/Thumbs.db").touch()
    use(path)
    assert check_store(path) == []
    edit(complete=False)(path / "recordings/activations/zarr.json")
    make_store(path)
    assert check_store(path) == []


def test_a_new_store_may_begin_in_a_folder_that_was_looked_at(tmp_path):
    (tmp_path / "s.zarr").mkdir()
    (tmp_path / "s.zarr/.DS_Store").touch()
    assert check_store(make_store(tmp_path / "s.zarr")) == []


def test_shards_that_are_not_there_are_written_anew(path):
    before = contents(path)
    edit(complete=False)(path / "recordings/activations/zarr.json")
    (path / CHUNK).unlink()
    make_store(path)
    assert contents(path) == before


def test_stores_without_checksums_are_named(tmp_path, store_path):
    assert without_checksums(store_path) == []
    shutil.unpack_archive(Path(__file__).parent / "archive" / "schema_2.zarr.zip", tmp_path)
    assert "activations/conv1/mean" in without_checksums(tmp_path / "small.zarr")
    assert check_store(tmp_path / "small.zarr") == []


def test_the_shell_checks(path):
    assert "all values were read" in CliRunner().invoke(app, ["info", str(path), "--check"]).output
    flip(path / CHUNK)
    flip(path / "recordings/untrained_00/conv2/mean/c/0/0")
    result = CliRunner().invoke(app, ["info", str(path), "--check"])
    assert result.exit_code == 1
    assert result.stderr.count("is damaged") == 2
    assert "recordings/untrained_00 and run the call" in result.stderr


def test_nan_of_a_half_written_recording_is_no_damage(path):
    edit(complete=False)(path / "recordings/activations/zarr.json")
    shutil.rmtree(path / "recordings/activations/conv2/mean/c")
    partly = open_store(path, incomplete="allow")
    assert len(partly.tokens) == 0
    assert check_store(path) == []
    assert np.isnan(partly.array("conv1")[:]).sum() == 0


def test_errors_are_the_package_s_own(path):
    remove(path / CHUNK)
    with pytest.raises(LayerstatsError):
        open_store(path).export(path.parent / "out")
    assert not list((path.parent / "out").glob("activations*"))


def test_other_arrays_of_the_process_are_read_as_zarr_reads_them(path, tmp_path):
    before = zarr.config.get("codec_pipeline.path")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: open_store(path).layer("conv1").load(), range(24)))
    assert zarr.config.get("codec_pipeline.path") == before
    theirs = zarr.create_array(tmp_path / "a.zarr", shape=(4,), chunks=(2,), dtype="f4", fill_value=np.nan)
    theirs[:2] = 1
    assert np.isnan(zarr.open_array(tmp_path / "a.zarr")[:]).tolist() == [False, False, True, True]
