"""The precision that the model computes in."""

from itertools import pairwise
from typing import Literal

import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from shared.errors import ReelmoodError

Precision = Literal["auto", "float32", "bfloat16"]


def choose_dtype(wanted: Precision, device: torch.device) -> torch.dtype:
    """Return the type of the model's weights and maps; "auto" is bfloat16 where `device` multiplies in it.

    In bfloat16 no probability moves by more than about 0.01 (docs/performance.md). Raises ReelmoodError when
    bfloat16 is asked of a device that does not multiply in it: a CPU would take many times as long as in
    float32.
    """
    if wanted == "float32":
        return torch.float32
    native = has_fast_bf16(device)
    if wanted == "bfloat16" and not native:
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "this processor"
        raise ReelmoodError(f"{name} does not multiply in bfloat16: use float32")
    return torch.bfloat16 if native else torch.float32


def has_fast_bf16(device: torch.device) -> bool:
    """Say whether `device` multiplies in bfloat16: most GPUs; CPUs with AVX-512 BF16, AMX or Arm's BF16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def convert(model: nn.Module, dtype: torch.dtype) -> None:
    """Freeze `model` for inference and bring it to `dtype`, batch norms to float32.

    Their running variances span more than bfloat16's seven bits of mantissa should be asked to hold. Those
    that follow a convolution become part of its weights first.
    """
    model.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, nn.Sequential):
            _fold(module)
    model.to(dtype)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.float()


def _fold(layers: nn.Sequential) -> None:
    for (name, layer), (next_name, following) in pairwise(list(layers.named_children())):
        if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
            setattr(layers, name, fuse_conv_bn_eval(layer, following))
            setattr(layers, next_name, nn.Identity())
