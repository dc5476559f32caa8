"""Adapter folders: merged by hand, found by their base's id, refused where they don't fit."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.testing import assert_close

from shared.emotions import LABEL_SETS
from shared.errors import ModelError
from shared.poster import build, load
from shared.poster.adapter import AdapterConfig, decode_adapter_config, merge
from shared.poster.checkpoints import save
from shared.poster.config import ModelConfig, encode_config, read_config
from shared.poster.folder import ADAPTER_CONFIG_FILE, ADAPTER_FILE, CONFIG_FILE, WEIGHTS_FILE, model_id

LAYER = "pyramid.blocks.0.block_l.mlp1.fc1"
PREFIX = "base_model.model."
PLAIN = {"peft_type": "LORA", "r": 2, "lora_alpha": 4}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with the whole model `whole`."""
    torch.manual_seed(0)
    nano = build("nano", 7)
    config = ModelConfig(
        name="whole", size="nano", input_size=nano.input_size, embedding_dim=nano.embedding_dim
    )
    folder = tmp_path_factory.mktemp("models")
    save(nano, config, folder / "whole")
    return folder


@pytest.fixture
def adapter(models: Path, tmp_path: Path) -> Path:
    """An adapter of one layer and a new bias of the classifier."""
    folder = tmp_path / "mine"
    folder.mkdir()
    config = msgspec.structs.replace(
        read_config(models / "whole" / CONFIG_FILE), name="mine", base=model_id(models / "whole")
    )
    (folder / CONFIG_FILE).write_bytes(encode_config(config))
    (folder / ADAPTER_CONFIG_FILE).write_text(json.dumps(PLAIN))
    tensors = {
        f"{PREFIX}{LAYER}.lora_A.weight": torch.randn(2, 128),
        f"{PREFIX}{LAYER}.lora_B.weight": torch.randn(256, 2),
        f"{PREFIX}head.linear.bias": torch.arange(7.0),
    }
    save_file(tensors, folder / ADAPTER_FILE)
    return folder


def edit(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    tensors = load_file(folder / ADAPTER_FILE)
    change(tensors)
    save_file(tensors, folder / ADAPTER_FILE)


def reconfigure(folder: Path, **changes: Any) -> None:
    config = msgspec.structs.replace(read_config(folder / CONFIG_FILE), **changes)
    (folder / CONFIG_FILE).write_bytes(encode_config(config))


def test_a_pair_is_multiplied_scaled_and_added() -> None:
    base = {"fc.weight": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "fc.bias": torch.tensor([5.0, 6.0])}
    adapter = {
        "base_model.model.fc.lora_A.weight": torch.tensor([[1.0, 10.0]]),
        "base_model.model.fc.lora_B.weight": torch.tensor([[2.0], [3.0]]),
        "base_model.model.fc.bias": torch.tensor([7.0, 8.0]),
    }
    merged = merge(base, adapter, AdapterConfig(peft_type="LORA", r=1, lora_alpha=2), "file")
    # B·A is [[2, 20], [3, 30]], and alpha / r is 2.
    assert merged["fc.weight"].tolist() == [[5.0, 42.0], [9.0, 64.0]]
    assert merged["fc.bias"].tolist() == [7.0, 8.0]
    assert base["fc.weight"].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_half_precision_files_are_summed_in_single() -> None:
    base = {"fc.weight": torch.tensor([[1.0]]).half()}
    pair = {"fc.lora_A.weight": torch.tensor([[1e-4]]).half(), "fc.lora_B.weight": torch.tensor([[1.0]])}
    merged = merge(base, pair, AdapterConfig(peft_type="LORA", r=1, lora_alpha=1), "file")
    assert merged["fc.weight"].item() == pytest.approx(1.0001, abs=1e-6)


def test_an_adapter_folder_loads_onto_its_base(models: Path, adapter: Path) -> None:
    before, after = load("whole", models).state_dict(), load(adapter, models).state_dict()
    tensors = load_file(adapter / ADAPTER_FILE)
    pair = [tensors[f"{PREFIX}{LAYER}.lora_{side}.weight"] for side in "AB"]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {f"{LAYER}.weight", "head.linear.bias"}
    change = (pair[1].double() @ pair[0].double() * 2).float()
    assert_close(after[f"{LAYER}.weight"], before[f"{LAYER}.weight"] + change)
    assert after["head.linear.bias"].tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_the_head_may_have_other_labels_than_the_base(models: Path, adapter: Path) -> None:
    reconfigure(adapter, labels=LABEL_SETS["affectnet8"])
    edit(
        adapter,
        lambda tensors: tensors.update(
            {
                f"{PREFIX}head.linear.weight": torch.zeros(8, 256),
                f"{PREFIX}head.linear.bias": torch.zeros(8),
            }
        ),
    )
    assert load(adapter, models).num_classes == 8


def test_the_id_covers_base_settings_and_weights(models: Path, adapter: Path) -> None:
    base = model_id(models / "whole")
    parts = (adapter / ADAPTER_CONFIG_FILE).read_bytes() + (adapter / ADAPTER_FILE).read_bytes()
    assert model_id(adapter) == f"mine@{hashlib.sha256(base.encode() + parts).hexdigest()[:8]}"
    assert load(adapter, models).id == model_id(adapter)
    seen = {model_id(adapter)}
    reconfigure(adapter, base="whole@00000000")
    seen.add(model_id(adapter))
    (adapter / ADAPTER_CONFIG_FILE).write_text(json.dumps({**PLAIN, "lora_alpha": 5}))
    seen.add(model_id(adapter))
    edit(adapter, lambda tensors: tensors[f"{PREFIX}head.linear.bias"].zero_())
    seen.add(model_id(adapter))
    assert len(seen) == 4


def test_another_base_is_refused(models: Path, adapter: Path) -> None:
    reconfigure(adapter, base="whole@00000000")
    with pytest.raises(ModelError) as refusal:
        load(adapter, models)
    true = model_id(models / "whole")
    assert str(refusal.value) == f"mine is an adapter of whole@00000000: {models / 'whole'} is {true}"


def test_a_base_that_is_not_there_is_named(adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^mine is an adapter of whole@\w{8}: no model whole in .*$"):
        load(adapter, tmp_path / "empty")


def test_an_adapter_is_no_base(adapter: Path) -> None:
    reconfigure(adapter, base=f"mine@{'0' * 8}")
    with pytest.raises(ModelError, match="mine is an adapter itself"):
        load(adapter, adapter.parent)


@pytest.mark.parametrize("base", ["whole", "../whole@01234567", "whole@0123456", "whole@01234567x", ""])
def test_a_base_that_is_no_model_id_is_refused(models: Path, adapter: Path, base: str) -> None:
    reconfigure(adapter, base=base)
    with pytest.raises(ModelError, match="is no model config"):
        load(adapter, models)


def test_a_whole_model_is_saved_without_a_base(models: Path, adapter: Path, tmp_path: Path) -> None:
    merged = load(adapter, models)
    assert merged.config is not None
    save(merged, msgspec.structs.replace(merged.config, name="one"), tmp_path / "one")
    whole = load(tmp_path / "one")
    assert whole.config == msgspec.structs.replace(merged.config, name="one", base=None)
    for name, tensor in merged.state_dict().items():
        assert torch.equal(whole.state_dict()[name], tensor), name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.pop(f"{PREFIX}{LAYER}.lora_A.weight"), f"{LAYER} has no pair of rank 2"),
        (lambda t: t.update({f"{PREFIX}{LAYER}.lora_A.weight": torch.ones(3, 128)}), "no pair of rank 2"),
        (lambda t: t.update({f"{PREFIX}{LAYER}.lora_B.weight": torch.ones(255, 2)}), "no pair of rank 2"),
        (lambda t: t.update({f"{PREFIX}{LAYER}.lora_B.weight": torch.ones(256, 2).int()}), "no pair"),
        (lambda t: t.update({f"{PREFIX}nowhere.lora_A.weight": torch.ones(2, 2)}), "nowhere has no pair"),
        (lambda t: t.update({f"{PREFIX}{LAYER}.lora_magnitude_vector": torch.ones(256)}), "unexpected"),
        (lambda t: t.update({f"{PREFIX}head.linear.bias": torch.ones(8)}), "of another shape head"),
        (lambda t: t[f"{PREFIX}{LAYER}.lora_A.weight"].fill_(torch.inf), "not finite"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    models: Path, adapter: Path, change: Callable[[dict[str, Tensor]], object], reason: str
) -> None:
    edit(adapter, change)
    with pytest.raises(ModelError, match=reason) as refusal:
        load(adapter, models)
    assert len(str(refusal.value).splitlines()) == 1
    assert str(adapter) in str(refusal.value)


@pytest.mark.parametrize(
    "change",
    [
        {"peft_type": "LOHA"},
        {"r": 0},
        {"lora_alpha": 0},
        {"use_rslora": True},
        {"fan_in_fan_out": True},
        {"rank_pattern": {"fc1": 4}},
        {"alpha_pattern": {"fc1": 4}},
    ],
)
def test_another_kind_of_adapter_is_refused(models: Path, adapter: Path, change: dict[str, object]) -> None:
    (adapter / ADAPTER_CONFIG_FILE).write_text(json.dumps({**PLAIN, **change}))
    with pytest.raises(ModelError, match="is no LoRA config"):
        load(adapter, models)


@given(st.binary())
def test_bytes_are_a_lora_config_or_a_model_error(data: bytes) -> None:
    with pytest.raises(ModelError, match="source is no LoRA config"):
        decode_adapter_config(data, "source")


@pytest.mark.parametrize("file", [ADAPTER_CONFIG_FILE, ADAPTER_FILE])
def test_a_missing_file_is_named(models: Path, adapter: Path, file: str) -> None:
    (adapter / file).unlink()
    with pytest.raises(ModelError, match=f"{file} cannot be read"):
        load(adapter, models)


def test_nothing_but_safetensors_is_read(models: Path, adapter: Path) -> None:
    """peft itself would fall back to a pickle of this name."""
    (adapter / ADAPTER_FILE).rename(adapter / "adapter_model.bin")
    (adapter / WEIGHTS_FILE).write_bytes((models / "whole" / WEIGHTS_FILE).read_bytes())
    with pytest.raises(ModelError, match=f"{ADAPTER_FILE} cannot be read"):
        load(adapter, models)


def test_a_damaged_file_is_refused(models: Path, adapter: Path) -> None:
    (adapter / ADAPTER_FILE).write_bytes((adapter / ADAPTER_FILE).read_bytes()[:-1])
    with pytest.raises(ModelError, match="is no safetensors file"):
        load(adapter, models)
