from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from shared.emotions import LABEL_SETS
from shared.errors import ModelError
from shared.poster import build, load
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig, encode_config
from shared.poster.expression import ExpressionModel
from shared.poster.folder import CONFIG_FILE, WEIGHTS_FILE, model_id


@pytest.fixture(scope="module")
def nano() -> ExpressionModel:
    torch.manual_seed(1)
    return build("nano", 7).eval()


@pytest.fixture(scope="module")
def config(nano: ExpressionModel) -> ModelConfig:
    return ModelConfig(name="mine", size="nano", input_size=nano.input_size, embedding_dim=nano.embedding_dim)


@pytest.fixture
def saved(nano: ExpressionModel, config: ModelConfig, tmp_path: Path) -> Path:
    save(nano, config, tmp_path / "models" / "mine")
    return tmp_path / "models" / "mine"


@pytest.fixture(scope="module")
def faces(nano: ExpressionModel) -> torch.Tensor:
    return torch.randn(2, 3, nano.input_size, nano.input_size)


def test_a_saved_model_loads_by_name_and_answers_the_same(
    nano: ExpressionModel, config: ModelConfig, saved: Path, faces: torch.Tensor
) -> None:
    loaded = load("mine", saved.parent)
    with torch.no_grad():
        assert_close(loaded(faces), nano(faces), rtol=0, atol=0)
    assert not loaded.training
    assert loaded.config == config
    assert loaded.id == model_id(saved)
    assert [parameter.requires_grad for parameter in loaded.parameters()] == [
        parameter.requires_grad for parameter in nano.parameters()
    ]


def test_half_the_bytes_answer_nearly_the_same(
    nano: ExpressionModel, config: ModelConfig, saved: Path, faces: torch.Tensor
) -> None:
    half = saved.with_name("half")
    save(nano, config, half, half=True)
    assert (half / WEIGHTS_FILE).stat().st_size < 0.55 * (saved / WEIGHTS_FILE).stat().st_size
    loaded = load(half)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    with torch.no_grad():
        assert_close(loaded(faces).logits, nano(faces).logits, rtol=0.02, atol=0.02)


def test_eight_labels_make_eight_outputs(tmp_path: Path, config: ModelConfig) -> None:
    eight = msgspec.structs.replace(config, labels=LABEL_SETS["affectnet8"])
    save(build("nano", 8), eight, tmp_path / "eight")
    assert load(tmp_path / "eight").num_classes == 8


def test_an_existing_folder_is_never_overwritten(
    nano: ExpressionModel, config: ModelConfig, saved: Path
) -> None:
    before = model_id(saved)
    with pytest.raises(ModelError, match="exists already"):
        save(nano, config, saved)
    assert model_id(saved) == before


def test_a_write_that_fails_leaves_nothing_behind(
    nano: ExpressionModel, config: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(ModelError, match="cannot be written"):
        save(nano, config, tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_cannot_be_made_is_named(
    nano: ExpressionModel, config: ModelConfig, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot be written"):
        save(nano, config, tmp_path / "file" / "mine")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": LABEL_SETS["ckplus"]}, "labels is 8, the model has 7"),
        ({"input_size": 64}, "input_size is 64"),
        ({"embedding_dim": 3}, "embedding_dim is 3"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_by_save(
    nano: ExpressionModel, config: ModelConfig, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    with pytest.raises(ModelError, match=reason):
        save(nano, msgspec.structs.replace(config, **change), tmp_path / "mine")


def test_weights_that_are_not_finite_are_refused_by_save(config: ModelConfig, tmp_path: Path) -> None:
    broken = build("nano", 7)
    with torch.no_grad():
        broken.state_dict()["head.linear.weight"].fill_(1e6)
    save(broken, config, tmp_path / "full")
    with pytest.raises(ModelError, match="not finite"):
        save(broken, config, tmp_path / "half", half=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": LABEL_SETS["ckplus"]}, r"of another shape head.*\(7×256, not 8×256\)"),
        ({"input_size": 64}, "does not fit: input_size"),
        ({"size": "small", "input_size": 112, "embedding_dim": 512}, r"missing .* and \d+ more; unexpected"),
    ],
)
def test_a_config_of_another_model_is_refused_by_load(
    config: ModelConfig, saved: Path, change: dict[str, object], reason: str
) -> None:
    (saved / CONFIG_FILE).write_bytes(encode_config(msgspec.structs.replace(config, **change)))
    with pytest.raises(ModelError, match=reason) as refusal:
        load(saved)
    assert len(str(refusal.value).splitlines()) == 1


def test_weights_that_do_not_fit_are_named(saved: Path) -> None:
    tensors = load_file(saved / WEIGHTS_FILE)
    del tensors["pyramid.norm.bias"]
    tensors["head.extra"] = torch.zeros(1)
    tensors["pyramid.norm.weight"] = torch.zeros(2, 3)
    tensors["head.linear.bias"] = torch.zeros(7, dtype=torch.complex64)
    save_file(tensors, saved / WEIGHTS_FILE)
    with pytest.raises(ModelError) as refusal:
        load(saved)
    assert "missing pyramid.norm.bias; unexpected head.extra;" in str(refusal.value)
    assert "of another shape pyramid.norm.weight (2×3, not 128);" in str(refusal.value)
    assert "of another type head.linear.bias (torch.complex64)" in str(refusal.value)
    assert str(saved) in str(refusal.value)


def test_weights_that_are_not_finite_are_refused_by_load(saved: Path) -> None:
    tensors = load_file(saved / WEIGHTS_FILE)
    tensors["pyramid.norm.bias"][0] = torch.nan
    save_file(tensors, saved / WEIGHTS_FILE)
    with pytest.raises(ModelError, match=r"not finite: pyramid\.norm\.bias"):
        load(saved)


@pytest.mark.parametrize("keep", [0, 7, 1000, -1])
def test_a_file_that_is_cut_off_is_refused(saved: Path, keep: int) -> None:
    weights = (saved / WEIGHTS_FILE).read_bytes()
    (saved / WEIGHTS_FILE).write_bytes(weights[:keep])
    with pytest.raises(ModelError, match="is no safetensors file"):
        load(saved)


def test_a_number_format_that_torch_does_not_have_is_refused(saved: Path) -> None:
    header = b'{"a": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]}}'
    (saved / WEIGHTS_FILE).write_bytes(len(header).to_bytes(8, "little") + header + b"\0")
    with pytest.raises(ModelError, match="is no safetensors file"):
        load(saved)


def test_a_folder_without_weights_is_refused(saved: Path) -> None:
    (saved / WEIGHTS_FILE).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load(saved)
