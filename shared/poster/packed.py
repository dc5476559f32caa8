"""Layers whose weights lie as a processor's kernels read them, for a frozen model on a CPU.

torch lays a weight out anew in each call, for bfloat16 always and for float32 in convolutions; and it leaves
products in float32 to MKL, which on processors of other makers is slow. An activation behind a layer is
applied by the layer's kernel before its result is written. The operators are those that torch's own compiler
(`torch._inductor`, `mkldnn_fusion`) puts in the place of these layers.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

from shared.poster.precision import has_fast_bf16


def pack(model: nn.Module, images: Tensor) -> None:
    """Replace the linear layers and convolutions of `model` that `images`, one face or more, go through.

    A ReLU or GELU that follows one of them in an `nn.Sequential` becomes part of it.
    The model is frozen, in the precision and on the device where it is used: from then on it can be neither
    converted nor moved nor saved. Nothing changes on a GPU, or on a processor of another kind than x86-64.
    What is packed already stays.
    """
    if not _packs(images):
        return
    shapes: dict[nn.Module, torch.Size] = {}

    def record(layer: nn.Module, inputs: tuple[Tensor]) -> None:
        shapes[layer] = inputs[0].shape

    layers = [layer for layer in model.modules() if type(layer) in (nn.Linear, nn.Conv2d)]
    hooks = [layer.register_forward_pre_hook(record) for layer in layers]
    with torch.inference_mode():
        model(images)
    for hook in hooks:
        hook.remove()
    _replace(model, shapes)
    for module in model.modules():
        if isinstance(module, nn.Sequential):
            _fuse(module)


def _packs(images: Tensor) -> bool:
    return (
        images.device.type == "cpu"
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and torch.cpu.get_capabilities().get("architecture") == "x86_64"
        and (images.dtype == torch.float32 or has_fast_bf16(images.device))
    )


def _replace(parent: nn.Module, shapes: dict[nn.Module, torch.Size]) -> None:
    for name, layer in parent.named_children():
        if isinstance(layer, nn.Linear) and layer in shapes:
            setattr(parent, name, PackedLinear(layer))
        elif isinstance(layer, nn.Conv2d) and layer in shapes:
            setattr(parent, name, PackedConv2d(layer, shapes[layer]))
        elif not isinstance(layer, PackedConv2d):
            _replace(layer, shapes)


def _fuse(layers: nn.Sequential) -> None:
    for (_, layer), (name, following) in pairwise(list(layers.named_children())):
        if isinstance(layer, PackedLinear | PackedConv2d) and isinstance(following, nn.ReLU | nn.GELU):
            layer.activation = following
            setattr(layers, name, nn.Identity())


class PackedLinear(nn.Module):
    """A linear layer without gradients of its own; those of its input go through it."""

    activation: nn.Module

    def __init__(self, plain: nn.Linear) -> None:
        super().__init__()
        self.activation = nn.Identity()
        weight = plain.weight.detach()
        # No buffers: a tensor in a layout of oneDNN's own can be neither converted nor saved.
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight)
        self.transposed = torch.ops.mkldnn._reorder_linear_weight(weight.T.contiguous())
        self.bias = None if plain.bias is None else plain.bias.detach()

    def forward(self, features: Tensor) -> Tensor:
        """Return `[..., out]` of `features` `[..., in]`."""
        features = features.contiguous()
        if torch.is_grad_enabled() and features.requires_grad:
            product = _Product.apply(features, self.weight, self.bias, self.transposed)
            return self.activation(product)  # type: ignore[no-any-return]
        return _product(features, self.weight, self.bias, self.activation)


class PackedConv2d(nn.Module):
    """A convolution for input like that of `shape`; where gradients are asked for it is the plain one."""

    activation: nn.Module

    def __init__(self, plain: nn.Conv2d, shape: torch.Size) -> None:
        super().__init__()
        self.activation = nn.Identity()
        self.plain = plain
        self.weight = torch.ops.aten.mkldnn_reorder_conv2d_weight(
            plain.weight.detach().contiguous().to_mkldnn(),
            plain.padding,
            plain.stride,
            plain.dilation,
            plain.groups,
            list(shape),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return `[B, out, H', W']` of `maps` `[B, in, H, W]`."""
        plain = self.plain
        if torch.is_grad_enabled() and maps.requires_grad:
            return self.activation(plain(maps))  # type: ignore[no-any-return]
        return torch.ops.mkldnn._convolution_pointwise(  # type: ignore[no-any-return]
            maps,
            self.weight,
            plain.bias,
            plain.padding,
            plain.stride,
            plain.dilation,
            plain.groups,
            *_post_op(self.activation),
        )


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, features: Tensor, weight: Tensor, bias: Tensor | None, transposed: Tensor
    ) -> Tensor:
        ctx.transposed = transposed  # type: ignore[attr-defined]
        return _product(features, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _product(gradient.contiguous(), ctx.transposed), None, None, None  # type: ignore[attr-defined]


def _product(
    features: Tensor, weight: Tensor, bias: Tensor | None = None, activation: nn.Module | None = None
) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(features, weight, bias, *_post_op(activation))  # type: ignore[no-any-return]


def _post_op(activation: nn.Module | None) -> tuple[str, list[float], str]:
    """Return what the operators call an activation: its name, numbers and algorithm."""
    if isinstance(activation, nn.ReLU):
        return "relu", [], ""
    if isinstance(activation, nn.GELU):
        return "gelu", [], activation.approximate
    return "none", [], ""
