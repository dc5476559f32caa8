"""Adapters: what is trained, against peft's count and closed forms; what is kept, against peft's reader."""

import json
from pathlib import Path

import msgspec
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from torch.testing import assert_close

from shared.errors import ModelError
from shared.poster import build, load
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig, Size
from shared.poster.expression import ExpressionModel
from shared.poster.folder import ADAPTER_CONFIG_FILE, ADAPTER_FILE
from training.lora import adapt, save_adapter, trainable_parameters
from training.recipe import Lora

LORAS = (Lora(rank=4), Lora(rank=4, hybrid=True))


def config_of(model: ExpressionModel, size: Size, name: str) -> ModelConfig:
    return ModelConfig(name=name, size=size, input_size=model.input_size, embedding_dim=model.embedding_dim)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with the whole model `whole`."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models")
    nano = build("nano", 7)
    save(nano, config_of(nano, "nano", "whole"), folder / "whole")
    return folder


@pytest.fixture(scope="module")
def faces() -> Tensor:
    return torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(1))


def trained(models: Path, lora: Lora) -> ExpressionModel:
    """The model `whole`, adapted and moved away from where it began."""
    torch.manual_seed(2)
    model = adapt(load("whole", models), lora)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter), alpha=0.02)
    return model.eval()


def described(model: ExpressionModel, name: str) -> ModelConfig:
    assert model.config is not None
    return msgspec.structs.replace(model.config, name=name, base=model.id)


def answer(model: nn.Module, faces: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(faces).logits
    return logits


def closed_form(rank: int, depth: int) -> int:
    """r·(in + out) of every pair, and all of the gate and the classifier."""
    pairs = sum(
        2 * rank * ((width + 2 * width) + (width + width) + (width + 2 * width) + (2 * width + width))
        for width in (512, 256, 128)
    )
    return depth * pairs + 2 * (512 * 512 + 512) + (512 * 7 + 7)


@pytest.mark.parametrize(
    ("size", "rank", "trained", "whole"),
    [
        ("large", 64, 10_621_447, 81_942_943),
        ("large", 32, 5_575_175, 76_896_671),
        ("base", 64, closed_form(64, depth=6), None),
        ("small", 64, closed_form(64, depth=4), None),
    ],
)
def test_as_many_parameters_are_trained_as_the_paper_says(
    size: Size, rank: int, trained: int, whole: int | None
) -> None:
    with torch.device("meta"):
        model = adapt(build(size, 7), Lora(rank=rank))
        by_peft = get_peft_model(
            build(size, 7),
            LoraConfig(
                r=rank,
                target_modules=["kv", "proj", "fc1", "fc2"],
                modules_to_save=["se_block", "head"],
            ),
        )
    assert trainable_parameters(model) == trained == by_peft.get_nb_trainable_parameters()[0]
    assert trained == closed_form(rank, {"small": 4, "base": 6, "large": 8}[size])
    if whole is not None:
        assert sum(parameter.numel() for parameter in model.parameters()) == whole


def test_the_hybrid_trains_what_gives_the_papers_thirty_million() -> None:
    with torch.device("meta"):
        model = adapt(build("large", 7), Lora(rank=64, hybrid=True))
    widths = (512, 256, 128)
    attention = sum(2 * (3 * width * width + 3 * width) for width in widths)
    mlp = sum(2 * (4 * width * width + 3 * width) for width in widths)
    norms = sum(4 * 2 * width for width in widths)
    mixers = 3 * (100 * 100 + 100)
    upsampling = 2 * (100 * 100 * 2 + 100)
    whole = 8 * (attention + norms) + 2 * 512 + mlp + mixers + upsampling
    assert trainable_parameters(model) == closed_form(64, depth=8) + whole == 30_066_283


def test_nano_trains_its_own_head_too() -> None:
    with torch.device("meta"):
        model = adapt(build("nano", 7), Lora(rank=8))
    pairs = 2 * sum(2 * 8 * 11 * width for width in (128, 64, 32))
    embed, gate, head = (128 + 256) * 256 + 256, 2 * (256 * 256 + 256), 256 * 7 + 7
    assert trainable_parameters(model) == pairs + embed + gate + head


@pytest.mark.parametrize(("size", "lora"), [("small", LORAS[0]), ("nano", LORAS[1])])
def test_nothing_below_the_features_is_trained_or_moves(size: Size, lora: Lora) -> None:
    torch.manual_seed(3)
    model = adapt(build(size, 7), lora).train()
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    maps = model.features(torch.randn(2, 3, model.input_size, model.input_size))
    assert not maps.image.requires_grad
    assert not maps.landmark.requires_grad
    model.classify(maps).logits.sum().backward()  # type: ignore[no-untyped-call]
    with_gradient = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert with_gradient == {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, buffers[name]), name


def test_an_untrained_adapter_answers_as_its_base(models: Path, faces: Tensor) -> None:
    base = load("whole", models)
    before = answer(base, faces)
    assert_close(answer(adapt(base, Lora()), faces), before, rtol=0, atol=0)


@pytest.mark.parametrize("lora", LORAS, ids=["lora", "hybrid"])
def test_a_merged_adapter_answers_as_the_one_that_was_trained(
    models: Path, tmp_path: Path, faces: Tensor, lora: Lora
) -> None:
    model = trained(models, lora)
    save_adapter(model, lora, described(model, "mine"), tmp_path / "mine", half=False)
    merged = load(tmp_path / "mine", models)
    assert not any("lora" in name for name in merged.state_dict())
    assert merged.config == described(model, "mine")
    change = answer(model, faces) - answer(load("whole", models), faces)
    assert change.abs().max() > 0.01
    assert_close(answer(merged, faces), answer(model, faces), rtol=0, atol=1e-4)


@pytest.mark.parametrize("lora", LORAS, ids=["lora", "hybrid"])
def test_peft_itself_reads_a_saved_adapter(models: Path, tmp_path: Path, faces: Tensor, lora: Lora) -> None:
    model = trained(models, lora)
    save_adapter(model, lora, described(model, "mine"), tmp_path / "mine")
    by_peft = PeftModel.from_pretrained(load("whole", models), str(tmp_path / "mine")).eval()
    assert_close(answer(load(tmp_path / "mine", models), faces), answer(by_peft, faces), rtol=0, atol=1e-4)
    written = json.loads((tmp_path / "mine" / ADAPTER_CONFIG_FILE).read_bytes())
    assert (written["r"], written["lora_alpha"], written["lora_dropout"]) == (4, 8, 0.1)
    assert written["base_model_name_or_path"] == model.id


def test_an_adapter_of_large_takes_21_megabytes(tmp_path: Path) -> None:
    with torch.device("meta"):
        model = adapt(build("large", 7), Lora())
    model.to_empty(device="cpu")
    for parameter in model.parameters():
        parameter.detach().zero_()
    config = msgspec.structs.replace(config_of(model, "large", "mine"), base="large@01234567")
    save_adapter(model, Lora(), config, tmp_path / "mine")
    matrices = 10_621_447 - (512 + 512 + 7)
    header = (tmp_path / "mine" / ADAPTER_FILE).stat().st_size - 2 * matrices - 4 * (512 + 512 + 7)
    assert 0 < header < 100_000


def test_the_same_weights_make_the_same_folder(models: Path, tmp_path: Path) -> None:
    model = trained(models, LORAS[1])
    for name in ("first", "second"):
        save_adapter(model, LORAS[1], described(model, "mine"), tmp_path / name)
    assert load(tmp_path / "first", models).id == load(tmp_path / "second", models).id


def test_an_adapter_is_not_adapted(models: Path, tmp_path: Path) -> None:
    model = trained(models, LORAS[0])
    save_adapter(model, LORAS[0], described(model, "mine"), tmp_path / "mine")
    with pytest.raises(ModelError, match="mine is an adapter: merge it"):
        adapt(load(tmp_path / "mine", models), Lora())


def test_an_adapter_without_a_base_is_not_written(models: Path, tmp_path: Path) -> None:
    model = trained(models, LORAS[0])
    with pytest.raises(ModelError, match="names no base"):
        save_adapter(
            model, LORAS[0], msgspec.structs.replace(described(model, "mine"), base=None), tmp_path / "m"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_broken_adapter_is_not_written(models: Path, tmp_path: Path) -> None:
    model = trained(models, LORAS[0])
    with torch.no_grad():
        model.get_parameter("head.linear.weight").fill_(1e6)
    with pytest.raises(ModelError, match=r"not finite, the first in base_model\.model\.head\.linear\.weight"):
        save_adapter(model, LORAS[0], described(model, "mine"), tmp_path / "mine")
    assert list(tmp_path.iterdir()) == []
