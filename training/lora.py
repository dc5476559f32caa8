"""Low-rank adaptation: which weights an adapter trains, and how it is kept.

Source: the paper, section II-B and III-D; Hu et al., "LoRA" (ICLR 2022). peft injects the layers.
"""

import logging
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn

from shared.errors import ModelError
from shared.poster.adapter import DOWN, PREFIX, UP
from shared.poster.checkpoints import check_fit, write_tensors
from shared.poster.config import ModelConfig, encode_config
from shared.poster.expression import ExpressionModel
from shared.poster.folder import ADAPTER_CONFIG_FILE, ADAPTER_FILE, CONFIG_FILE, new_folder
from shared.poster.pyramid import CrossAttention, CrossFusionPyramid
from shared.poster.state import encodable
from training.dropout import BitDropout
from training.recipe import Lora

log = logging.getLogger(__name__)

TARGETS: Final = ("kv", "proj", "fc1", "fc2")
"""The pyramid's linear layers: attention and MLP. The query has no projection in POSTER."""
HEADS: Final = ("embed", "se_block", "head")
"""What stands on the pyramid and is trained whole; only nano has `embed`."""
ADAPTER: Final = "default"


def adapt(model: ExpressionModel, lora: Lora) -> ExpressionModel:
    """Freeze `model`, put a low-rank pair beside each linear layer of its pyramid, and return it.

    Trained are the pairs and the heads and, in the hybrid, the pyramid's norms, cross-attentions and last
    block too (the paper doesn't list them: these give its 30.06 million). No parameter below `features` is.
    The pairs are drawn from torch's generator, and leave the outputs as they are until trained. Raises
    ModelError for a model that is an adapter on its base already.
    """
    if model.config is not None and model.config.base is not None:
        raise ModelError(f"{model.config.name} is an adapter: merge it into a whole model first")
    inject_adapter_in_model(_peft_config(lora), model, ADAPTER)
    trained: list[nn.Module] = [getattr(model, name) for name in _heads(model)]
    if lora.hybrid:
        pyramid = next(module for module in model.modules() if isinstance(module, CrossFusionPyramid))
        inner = pyramid.modules()
        trained += [pyramid.blocks[-1], *(m for m in inner if isinstance(m, nn.LayerNorm | CrossAttention))]
    for module in trained:
        module.requires_grad_(True)
    for layer in _layers(model).values():
        layer.lora_dropout[ADAPTER] = BitDropout(lora.dropout)
        # Under autocast peft would bring what a layer is given to float32, and autocast back to bfloat16.
        layer.cast_input_dtype_enabled = False
    return model


def trainable_parameters(model: nn.Module) -> int:
    """Return how many parameters of `model` are trained."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def save_adapter(
    model: ExpressionModel, lora: Lora, config: ModelConfig, folder: Path, *, half: bool = True
) -> None:
    """Write what `adapt` made trainable in `model` as the new model folder `folder`: complete, or not at all.

    `config` names the base. The folder holds `config.json` and peft's two files. With `half`, matrices are
    stored as float16, vectors as float32: 21 MB for large at rank 64. Raises ModelError as
    `checkpoints.save`, and for a config without base.
    """
    if config.base is None:
        raise ModelError(f"the config of the adapter {config.name} names no base")
    check_fit(model, config)
    layers = _layers(model)
    whole = {name for name, layer in layers.items() if _linear(layer.base_layer).weight.requires_grad}
    others = _trained_without_pair(model)
    tensors = dict(others)
    for name, layer in layers.items():
        tensors |= _folded(name, layer) if name in whole else _pair(name, layer)
    stored = encodable({PREFIX + name: tensor for name, tensor in tensors.items()}, config.name, half)
    modules = {name.rpartition(".")[0] for name in others if not name.startswith(_heads(model))}
    described = _peft_config(lora, config.base, sorted(whole), [*_heads(model), *sorted(whole | modules)])
    with new_folder(folder) as aside:
        write_tensors(stored, aside / ADAPTER_FILE)
        (aside / ADAPTER_CONFIG_FILE).write_bytes(_encode(described))
        (aside / CONFIG_FILE).write_bytes(encode_config(config))
    log.info("saved adapter %s of %s to %s", config.name, config.base, folder)


def _peft_config(
    lora: Lora, base: str | None = None, without_pair: list[str] | None = None, whole: list[str] | None = None
) -> LoraConfig:
    return LoraConfig(
        r=lora.rank,
        lora_alpha=2 * lora.rank,
        lora_dropout=lora.dropout,
        target_modules=list(TARGETS),
        exclude_modules=without_pair or None,
        modules_to_save=whole,
        base_model_name_or_path=base,
        inference_mode=base is not None,
    )


def _encode(config: LoraConfig) -> bytes:
    """Return peft's JSON, in an order that doesn't change from run to run: peft keeps names in sets."""
    fields: dict[str, Any] = config.to_dict()  # type: ignore[no-untyped-call]
    return msgspec.json.format(msgspec.json.encode(fields, order="sorted"), indent=2) + b"\n"


def _heads(model: ExpressionModel) -> tuple[str, ...]:
    return tuple(name for name in HEADS if hasattr(model, name))


def _layers(model: ExpressionModel) -> dict[str, LoraLinear]:
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLinear)}


def _trained_without_pair(model: ExpressionModel) -> dict[str, Tensor]:
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and ".lora_" not in name and ".base_layer." not in name
    }


def _pair(name: str, layer: LoraLinear) -> dict[str, Tensor]:
    return {
        name + DOWN: _linear(layer.lora_A[ADAPTER]).weight,
        name + UP: _linear(layer.lora_B[ADAPTER]).weight,
    }


def _folded(name: str, layer: LoraLinear) -> dict[str, Tensor]:
    """Return weight and bias of a layer that is trained whole, its pair added to them."""
    base = _linear(layer.base_layer)
    return {f"{name}.weight": base.weight + layer.get_delta_weight(ADAPTER), f"{name}.bias": base.bias}


def _linear(module: nn.Module) -> nn.Linear:
    return cast(nn.Linear, module)
