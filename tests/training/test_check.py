"""The check set beside a model: which pictures it keeps, and what it says of the model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from shared.emotions import EMOTIONS, LABEL_SETS
from shared.errors import DataError
from tests.training.tiny import TinyModel, tiny_config
from training.check import CHECK_FILE, read_check, score_check, write_check


def _grey(labels: Sequence[int]) -> NDArray[np.uint8]:
    """Pictures that are as bright as their number."""
    return np.arange(len(labels), dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2)


def test_what_is_written_is_read_in_the_order_of_emotions(tmp_path: Path) -> None:
    labels = [0, 7, 3, -1, 6]  # angry, contempt, happy, unknown, neutral
    assert write_check(tmp_path, _grey(labels), np.array(labels), LABEL_SETS["ckplus"]) == 3
    check = read_check(tmp_path)
    assert check.images[:, 0, 0, 0].tolist() == [0, 2, 4]
    assert [EMOTIONS[label] for label in check.labels] == ["angry", "happy", "neutral"]


def test_at_most_two_hundred_are_kept_and_always_the_same(tmp_path: Path) -> None:
    labels = np.arange(250) % 7
    images = np.zeros((250, 4, 4, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(250)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert write_check(tmp_path / name, images, labels, EMOTIONS) == 200
    kept = read_check(tmp_path / "a").images[:, 0, 0, 0]
    assert len(set(kept.tolist())) == 200
    assert (kept == read_check(tmp_path / "b").images[:, 0, 0, 0]).all()
    assert (read_check(tmp_path / "a").labels == kept % 7).all()


def test_nothing_is_written_of_nothing(tmp_path: Path) -> None:
    assert write_check(tmp_path, _grey([-1]), np.array([-1]), EMOTIONS) == 0
    with pytest.raises(DataError, match=r"has no check set \(check\.safetensors\)"):
        read_check(tmp_path)


def test_a_model_is_scored_by_what_it_reads_right(tmp_path: Path) -> None:
    model = TinyModel()
    model.config, model.id = tiny_config(), "tiny@0"
    torch.nn.init.zeros_(model.head.weight)
    with torch.no_grad():
        model.head.bias.copy_(torch.eye(7)[EMOTIONS.index("happy")])
    labels = [EMOTIONS.index(name) for name in ("happy", "sad", "happy", "fear", "happy")]
    write_check(tmp_path, _grey(labels), np.array(labels), EMOTIONS)
    assert score_check(model, tmp_path, torch.device("cpu")) == (3 / 5, 5)


GOOD: dict[str, NDArray[Any]] = {"images": np.zeros((2, 4, 4, 1), np.uint8), "labels": np.zeros(2, np.int64)}
NAMED = {"labels": '["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]'}


@pytest.mark.parametrize(
    ("changed", "metadata"),
    [
        ({"labels": np.full(2, 7, np.int64)}, NAMED),
        ({"labels": np.full(2, -1, np.int64)}, NAMED),
        ({"labels": np.zeros(3, np.int64)}, NAMED),
        ({"labels": np.zeros(2, np.float32)}, NAMED),
        ({"images": np.zeros((2, 4, 4, 2), np.uint8)}, NAMED),
        ({"images": np.zeros((2, 4, 4), np.uint8)}, NAMED),
        ({"images": np.zeros((0, 4, 4, 1), np.uint8), "labels": np.zeros(0, np.int64)}, NAMED),
        ({}, {"labels": '["happy"]'}),
        ({}, {"labels": "{"}),
        ({}, None),
    ],
)
def test_anything_else_is_refused(
    tmp_path: Path, changed: dict[str, NDArray[Any]], metadata: dict[str, str] | None
) -> None:
    save_file({**GOOD, **changed}, tmp_path / CHECK_FILE, metadata=metadata)
    with pytest.raises(DataError, match="is no check set") as refused:
        read_check(tmp_path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"damaged", b"\xff" * 100])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CHECK_FILE).write_bytes(content)
    with pytest.raises(DataError, match="is no check set"):
        read_check(tmp_path)


def test_a_good_file_made_by_hand_is_read(tmp_path: Path) -> None:
    save_file(GOOD, tmp_path / CHECK_FILE, metadata=NAMED)
    assert len(read_check(tmp_path).images) == 2
