import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from shared.errors import DataError, ModelError
from shared.poster import checkpoints
from shared.poster.config import Preprocessing
from tests.training.conftest import write_tree
from tests.training.untrained import write_untrained
from training.landmarks.initial import make_initial
from training.landmarks.run import train
from training.landmarks.spec import STREAM_FILE, LandmarkSpec
from training.observer import Position, Stopped


class StopAt:
    """Stops a run at a step of an epoch."""

    def __init__(self, epoch: int, step: int) -> None:
        self.where = (epoch, step)

    def step(self, position: Position) -> None:
        if (position.epoch, position.step) == self.where:
            raise Stopped("stopped")

    def epoch(self, row: dict[str, float]) -> None:
        pass


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with a teacher that knows nothing."""
    return write_untrained(tmp_path_factory.mktemp("models"), "teacher")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> LandmarkSpec:
    data = write_tree(tmp_path_factory.mktemp("data") / "faces", train=3, test=1)
    return LandmarkSpec(data=str(data), teacher="teacher", epochs=2, batch_size=7)


@pytest.fixture(scope="module")
def trained(models: Path, spec: LandmarkSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("landmarks") / "whole"
    train(spec, out, models=models, device="cpu")
    return out


def test_a_stopped_run_ends_in_the_same_weights(
    models: Path, spec: LandmarkSpec, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "stopped"
    with pytest.raises(Stopped):
        train(spec, out, models=models, device="cpu", observe=StopAt(2, 2))
    assert not (out / STREAM_FILE).exists()
    with pytest.raises(ModelError, match=r"stream\.safetensors is missing"):
        make_initial(out, tmp_path / "model", "small", ("",) * 7)
    train(spec, out, models=models, device="cpu")
    whole, resumed = load_file(trained / STREAM_FILE), load_file(out / STREAM_FILE)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_report_is_about_pictures_that_were_not_trained_on(trained: Path) -> None:
    report = json.loads((trained / "report.json").read_text())
    # Of three pictures of each of seven emotions, one is held out.
    assert (report["trained_on"], report["held_out"], report["student"]["count"]) == (14, 7, 7)
    assert report["student"]["mean"] > 0
    assert "on 14 pictures by the 68-point net" in (trained / "report.md").read_text()


def test_other_settings_do_not_go_on_with_a_run(models: Path, spec: LandmarkSpec, trained: Path) -> None:
    other = LandmarkSpec(data=spec.data, teacher="teacher", epochs=3, batch_size=7)
    with pytest.raises(DataError, match="trained with other settings"):
        train(other, trained, models=models, device="cpu")


def test_the_stream_becomes_part_of_an_initial_model(trained: Path, tmp_path: Path) -> None:
    labels = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
    state = torch.get_rng_state()
    config = make_initial(trained, tmp_path / "start", "small", labels, grey=True, resample=48, zoom=1.1)
    assert torch.equal(torch.get_rng_state(), state)
    assert config.preprocessing == Preprocessing(channels="grey", resample=48, zoom=1.1)
    model = checkpoints.load(tmp_path / "start")
    assert model.config == config
    stream = load_file(trained / STREAM_FILE)
    tensors = model.state_dict()
    assert all(torch.equal(tensors[f"face_landback.{name}"], stream[name]) for name in stream)
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert frozen == {name for name, _ in model.named_parameters() if name.startswith("face_landback.")}


def test_damaged_streams_and_settings_out_of_range_are_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the model cannot be made: .*zoom"):
        make_initial(trained, tmp_path / "start", "small", ("",) * 7, zoom=9)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    with pytest.raises(ModelError, match="holds no landmark stream"):
        make_initial(damaged, tmp_path / "start", "small", ("",) * 7)
    (damaged / "landmarks.json").write_bytes((trained / "landmarks.json").read_bytes())
    (damaged / STREAM_FILE).write_bytes((trained / STREAM_FILE).read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"stream\.safetensors is no safetensors file"):
        make_initial(damaged, tmp_path / "start", "small", ("",) * 7)
    (damaged / "landmarks.json").write_text("{")
    with pytest.raises(ModelError, match="is no description of a landmark stream"):
        make_initial(damaged, tmp_path / "start", "small", ("",) * 7)
    assert not (tmp_path / "start").exists()
