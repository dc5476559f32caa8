from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from shared.emotions import LABEL_SETS
from shared.errors import ModelError
from shared.poster.config import IMAGENET_MEAN
from shared.poster.model import Poster
from shared.poster.published import import_published

RAFDB: Final = LABEL_SETS["rafdb"]


@pytest.fixture(scope="module")
def state(small: Poster) -> dict[str, Tensor]:
    return small.state_dict()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "published.pth"
    # Hundreds of megabytes, and pytest keeps the folders of its last runs.
    (tmp_path / "published.pth").unlink(missing_ok=True)


def test_a_published_checkpoint_answers_as_the_published_code(
    small: Poster, state: dict[str, Tensor], images: Tensor, file: Path
) -> None:
    optimizer = {"state": {}, "param_groups": [{"lr": 4e-5, "params": [0, 1]}]}
    parallel = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"iter": 9, "model_state_dict": parallel, "optimizer_state_dict": optimizer}, file)
    model, config, report = import_published(file, "small", RAFDB, "rafdb-small")
    with torch.no_grad():
        assert_close(model(images), small(images), rtol=0, atol=0)
    assert not model.training
    assert (config.labels, config.preprocessing.mean) == (RAFDB, IMAGENET_MEAN)
    assert set(report.matched) == set(state)
    assert report.ignored == ("iter", "optimizer_state_dict")
    assert str(report) == (
        f"{len(state)} tensors matched, 52,229,135 parameters, ignored: iter, optimizer_state_dict"
    )


def test_a_plain_state_dict_with_its_own_normalisation_is_taken(state: dict[str, Tensor], file: Path) -> None:
    small_floats = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()
    }
    torch.save(small_floats, file)
    half = (0.5, 0.5, 0.5)
    model, config, report = import_published(file, "small", RAFDB, "plain", mean=half, std=half)
    assert (config.preprocessing.mean, config.preprocessing.std) == (half, half)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert report.ignored == ()


def test_eight_classes_are_taken_with_eight_labels(state: dict[str, Tensor], file: Path) -> None:
    torch.save(state | {"head.linear.weight": torch.zeros(8, 512), "head.linear.bias": torch.zeros(8)}, file)
    model, _, _ = import_published(file, "small", LABEL_SETS["affectnet8"], "eight")
    assert model.num_classes == 8
    with pytest.raises(ModelError, match=r"head\.linear\.weight \(8×512, not 7×512\)"):
        import_published(file, "small", RAFDB, "seven")


def test_a_partial_match_names_the_first_keys(file: Path) -> None:
    torch.save({"ir_layer.weight": torch.zeros(512, 1), "other": torch.zeros(1)}, file)
    with pytest.raises(ModelError) as refusal:
        import_published(file, "small", RAFDB, "partial")
    line = str(refusal.value)
    assert line.startswith(
        f"{file} (small, 7 labels) does not fit: missing face_landback.conv1.conv.weight, "
    )
    assert "unexpected other; of another shape ir_layer.weight (512×1, not 512×1024)" in line
    assert len(line.splitlines()) == 1


def test_code_in_a_file_is_never_run(file: Path, tmp_path: Path) -> None:
    torch.save({"model_state_dict": Evil(tmp_path / "ran")}, file)
    with pytest.raises(ModelError, match="more than weights"):
        import_published(file, "small", RAFDB, "evil")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no complete PyTorch file|no PyTorch file"),
        (b"not a checkpoint", "no PyTorch file"),
        (b"PK\x03\x04 cut off", "no complete PyTorch file"),
        (b"\x80\x02J\x01", "no complete PyTorch file"),
    ],
)
def test_other_files_are_refused_in_one_line(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)
    with pytest.raises(ModelError, match=reason) as refusal:
        import_published(file, "small", RAFDB, "other")
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize("content", [{}, [1, 2], {"epoch": 3}, {3: torch.zeros(1)}])
def test_a_file_without_a_state_dict_is_refused(file: Path, content: object) -> None:
    torch.save(content, file)
    with pytest.raises(ModelError, match="holds no state dict"):
        import_published(file, "small", RAFDB, "other")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.pth cannot be read: No such file"):
        import_published(tmp_path / "absent.pth", "small", RAFDB, "absent")


def test_nano_is_never_published(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="small, base, large, not nano"):
        import_published(tmp_path / "absent.pth", "nano", RAFDB, "nano")


def test_labels_without_one_of_the_seven_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="labels must name each of"):
        import_published(tmp_path / "absent.pth", "small", ("happy", "sad"), "two")


class Evil:
    """Unpickling it as any object would be touches a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.file,)
