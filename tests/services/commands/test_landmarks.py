"""`reelmood landmarks` and `models create`: what they make and refuse."""

import json
from pathlib import Path

import msgspec
import torch
from safetensors.torch import save_file

from shared.poster.mobilefacenet import MobileFaceNet
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood
from training.landmarks.spec import SPEC_FILE, STREAM_FILE, LandmarkSpec


def test_an_initial_model_is_made_around_a_stream(
    tmp_path: Path, settings: Settings, reelmood: Reelmood
) -> None:
    torch.manual_seed(0)
    save_file(MobileFaceNet().state_dict(), tmp_path / STREAM_FILE)
    spec = LandmarkSpec(data="faces", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    (tmp_path / SPEC_FILE).write_bytes(msgspec.json.encode(spec))
    stream = ("--landmarks", tmp_path, "--size", "small", "--labels", "rafdb", "--grey", "--resample", 48)
    made = reelmood("models", "create", "start", *stream)
    assert made.code == 0, made.err
    assert f"start is in {settings.models / 'start'}" in made.out
    shown = json.loads(reelmood("models", "show", "start").out)
    assert (shown["size"], shown["labels"][0], shown["preprocessing"]["mean"]) == (
        "small",
        "surprise",
        [0.5, 0.5, 0.5],
    )
    assert (shown["preprocessing"]["channels"], shown["preprocessing"]["resample"]) == ("grey", 48)
    again = reelmood("models", "create", "start", *stream)
    assert (again.code, again.err.count("\n")) == (2, 1)


def test_what_is_no_stream_is_refused_in_one_line(tmp_path: Path, reelmood: Reelmood) -> None:
    answer = reelmood("models", "create", "start", "--landmarks", tmp_path)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "holds no landmark stream" in answer.err
    answer = reelmood("models", "create", "../start", "--landmarks", tmp_path)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "is no name of a model" in answer.err


def test_a_wrong_data_set_is_named_before_anything_is_trained(tmp_path: Path, reelmood: Reelmood) -> None:
    answer = reelmood("landmarks", "--data", tmp_path / "none", "--out", tmp_path / "out", "--device", "cpu")
    assert answer.code == 2
    assert f"{tmp_path / 'none'} is missing" in answer.err
    assert not (tmp_path / "out").exists()
