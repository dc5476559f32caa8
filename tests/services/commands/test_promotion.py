"""`reelmood models promote` and `rollback`, and `gallery`."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from shared.emotions import EMOTIONS
from shared.poster import load
from shared.poster.active import Promotion, active, write_promotions
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig
from shared.poster.folder import WEIGHTS_FILE
from shared.poster.nano import build_nano
from shared.queues import presence
from shared.queues.broker import Broker
from shared.queues.presence import Service
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood
from training.check import write_check


@pytest.fixture(autouse=True)
def mine(settings: Settings) -> Path:
    """A model in the registry that takes every face for happy."""
    torch.manual_seed(0)
    model = build_nano()
    for parameter in model.head.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        model.head.linear.bias[EMOTIONS.index("happy")] = 1
    config = ModelConfig(name="mine", size="nano", input_size=128, embedding_dim=model.embedding_dim)
    save(model, config, settings.models / "mine")
    return settings.models / "mine"


def _active(reelmood: Reelmood) -> list[str]:
    return [row["name"] for row in json.loads(reelmood("models", "list", "--json").out) if row["active"]]


def test_a_model_is_promoted_and_taken_back(settings: Settings, reelmood: Reelmood) -> None:
    assert _active(reelmood) == ["nano"]
    promoted = reelmood("models", "promote", "mine")
    identity = load("mine", settings.models).id
    assert (promoted.code, active(settings.models).id) == (0, identity)
    assert f"{identity} is the active model" in promoted.out
    assert "reelmood gallery build --model mine" in promoted.out
    assert _active(reelmood) == ["mine"]
    assert json.loads(reelmood("models", "show", "active").out)["name"] == "mine"
    assert "nano" in reelmood("models", "rollback").out
    assert _active(reelmood) == ["nano"]
    again = reelmood("models", "rollback")
    assert (again.code, again.err.count("\n")) == (2, 1)


def test_a_corrupt_model_is_refused_and_listed_with_its_reason(
    settings: Settings, mine: Path, reelmood: Reelmood
) -> None:
    (mine / WEIGHTS_FILE).write_bytes(b"no weights")
    refused = reelmood("models", "promote", "mine")
    assert refused.code == 2
    assert "is no safetensors file" in refused.err
    assert active(settings.models).name == "nano"
    (mine / "config.json").write_text('{"format_version": 1, "name": "mine", "size": "huge"}')
    listed = {row["name"]: row for row in json.loads(reelmood("models", "list", "--json").out)}
    assert "is no model config" in listed["mine"]["error"]
    assert (listed["nano"]["error"], listed["nano"]["active"]) == ("", True)


@pytest.mark.parametrize(("wanted", "code"), [(0.6, 0), (0.61, 2)])
def test_a_model_must_do_well_enough_on_its_check_set(
    settings: Settings, mine: Path, reelmood: Reelmood, wanted: float, code: int
) -> None:
    labels = [EMOTIONS.index(name) for name in ("happy", "sad", "happy", "fear", "happy")]
    write_check(mine, np.zeros((5, 48, 48, 1), np.uint8), np.array(labels), EMOTIONS)
    answer = reelmood("models", "promote", "mine", "--min-accuracy", wanted)
    assert answer.code == code
    assert "60.0 % of the 5 faces of its check set" in answer.out + answer.err
    assert active(settings.models).name == ("nano" if code else "mine")


def test_a_model_without_a_check_set_is_not_taken_on_trust(settings: Settings, reelmood: Reelmood) -> None:
    refused = reelmood("models", "promote", "mine", "--min-accuracy", 0)
    assert (refused.code, active(settings.models).name) == (2, "nano")
    assert "has no check set" in refused.err


def test_a_pinned_model_is_not_passed_over_in_silence(
    reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELMOOD_MODEL", "nano")
    assert "REELMOOD_MODEL is nano" in reelmood("models", "promote", "mine").out
    assert _active(reelmood) == ["nano"]


def test_a_gallery_is_built_for_the_active_model(
    settings: Settings, tmp_path: Path, reelmood: Reelmood
) -> None:
    for label in EMOTIONS:
        (tmp_path / "train" / label).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "train" / label / "0.png"), np.zeros((48, 48), np.uint8))
    reelmood("models", "promote", "mine")
    built = reelmood("gallery", "build", "--data", tmp_path, "--device", "cpu")
    assert built.code == 0, built.err
    identity = active(settings.models).id
    assert json.loads(reelmood("gallery", "list", "--json").out) == [
        {"format_version": 1, "model": identity, "dimension": 256, "faces": 7}
    ]
    assert str(identity) in reelmood("gallery", "list").out
    assert "gallery build" not in reelmood("models", "promote", "mine").out
    assert "--replace" in reelmood("gallery", "build", "--data", tmp_path).err


def test_the_reason_of_a_refusal_stands_in_the_status(broker: Broker, reelmood: Reelmood) -> None:
    note = "mine is refused: [its files] have changed"
    presence.beat(broker, Service(name="w", kind="worker", pid=7, host="h", model="nano@0", note=note))
    assert json.loads(reelmood("status", "--json").out)["services"][0]["note"] == note
    assert f"w: {note}\n" in reelmood("status").out


def test_a_run_without_a_service_is_pinned_to_the_active_model(
    settings: Settings, tmp_path: Path, reelmood: Reelmood
) -> None:
    write_promotions(settings.models, [Promotion(name="gone", id="gone@00000000")])
    answer = reelmood("analyze", tmp_path / "clip.mp4")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "no model gone" in answer.err
