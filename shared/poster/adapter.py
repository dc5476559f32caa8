"""Adapters: the low-rank change of a model's weights, merged into them.

The files are peft's, read here without it: the sum is short, and peft takes seconds to import. Source: Hu et
al., "LoRA" (ICLR 2022), section 4.1.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from torch import Tensor

from shared.errors import ModelError

PREFIX: Final = "base_model.model."
"""What peft puts before every name."""
DOWN: Final = ".lora_A.weight"
UP: Final = ".lora_B.weight"


class AdapterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What of `adapter_config.json` decides how the weights beside it are read; names are peft's.

    Raises ValueError for a variant of LoRA that scales or lays out its weights in another way.
    """

    peft_type: Literal["LORA"]
    r: Annotated[int, msgspec.Meta(ge=1)]
    lora_alpha: Annotated[float, msgspec.Meta(gt=0)]
    use_rslora: bool = False
    fan_in_fan_out: bool = False
    rank_pattern: dict[str, int] | None = None
    alpha_pattern: dict[str, float] | None = None

    def __post_init__(self) -> None:
        if self.use_rslora or self.fan_in_fan_out or self.rank_pattern or self.alpha_pattern:
            raise ValueError("it asks for rsLoRA, transposed weights, or a rank or alpha of single layers")


def decode_adapter_config(data: bytes, source: str) -> AdapterConfig:
    """Return the config in `data`, JSON; `source` names it. Raises ModelError when it isn't plain LoRA's."""
    try:
        return msgspec.json.decode(data, type=AdapterConfig)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelError(f"{source} is no LoRA config: {error}") from error


def merge(
    base: Mapping[str, Tensor], adapter: Mapping[str, Tensor], config: AdapterConfig, source: str
) -> dict[str, Tensor]:
    """Return the weights `base` changed by `adapter`: W + B·A·alpha/r in float32 where a layer has a pair.

    Every other tensor of the adapter takes the place of the base's, or comes on top for `fill` to judge.
    Raises ModelError, naming `source`, when a pair is incomplete or doesn't fit its layer.
    """
    given = {name.removeprefix(PREFIX): tensor for name, tensor in adapter.items()}
    low_rank = {name: tensor for name, tensor in given.items() if name.endswith((DOWN, UP))}
    merged = {**base, **{name: tensor for name, tensor in given.items() if name not in low_rank}}
    for layer in sorted({name.removesuffix(DOWN).removesuffix(UP) for name in low_rank}):
        down, up = low_rank.get(layer + DOWN), low_rank.get(layer + UP)
        weight = merged.get(f"{layer}.weight")
        if down is None or up is None or weight is None or not _fit(weight, down, up, config.r):
            raise ModelError(f"{source} does not fit: {layer} has no pair of rank {config.r} for its weight")
        change = up.float() @ down.float() * (config.lora_alpha / config.r)
        merged[f"{layer}.weight"] = weight.float() + change
    return merged


def _fit(weight: Tensor, down: Tensor, up: Tensor, rank: int) -> bool:
    if not all(tensor.ndim == 2 and tensor.is_floating_point() for tensor in (weight, down, up)):
        return False
    return down.shape == (rank, weight.shape[1]) and up.shape == (weight.shape[0], rank)
