"""POSTER's cross-fusion pyramid: the image and the landmark stream guide each other at three widths.

Source: Zheng et al., "POSTER: A Pyramid Cross-Fusion Transformer Network for Facial Expression Recognition"
(ICCVW 2023). Module names are those of the published checkpoints.
"""

from collections import OrderedDict
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torchvision.ops import StochasticDepth

LAYER_NORM_EPS = 1e-6


class Levels(NamedTuple):
    """The tokens of both streams, image first, at the three widths: `[B, 2(T+1), width]` each."""

    large: Tensor
    medium: Tensor
    small: Tensor


class CrossAttention(nn.Module):
    """Multi-head attention whose query is the other stream's tokens as they are, without a projection."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.kv = nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, own: Tensor, other: Tensor) -> Tensor:
        """Return `[B, T, width]`: what the tokens `other` (the query) find in the tokens `own`."""
        batch, count, width = own.shape
        split = width // self.heads
        query = other.reshape(batch, count, self.heads, split).transpose(1, 2)
        # Of tokens that are a view into those of both streams, torch would multiply each face's on its own,
        # with a copy of the weight for each.
        both = self.kv(own.contiguous())
        key, value = both.reshape(batch, count, 2, self.heads, split).permute(2, 0, 3, 1, 4)
        attend = _attend if key.device.type == "cpu" else scaled_dot_product_attention
        found = attend(query.to(key.dtype), key, value)
        return self.proj(found.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class Mlp(nn.Sequential):
    """Linear, GELU, linear: from `[..., width]` to the same shape."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(
            OrderedDict(fc1=nn.Linear(width, hidden), act=nn.GELU(), fc2=nn.Linear(hidden, width))
        )


class Block(nn.Module):
    """One cross-fusion encoder at one width: attention and MLP in each stream, then a mix over all tokens."""

    def __init__(self, width: int, tokens: int, heads: int, mlp_ratio: float, drop_path: float) -> None:
        super().__init__()
        hidden = int(width * mlp_ratio)
        self.norm1 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.attn_img = CrossAttention(width, heads)
        self.attn_lm = CrossAttention(width, heads)
        self.drop_path = StochasticDepth(drop_path, mode="row")
        self.norm2 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.mlp1 = Mlp(width, hidden)
        self.mlp2 = Mlp(width, hidden)
        self.norm3 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.norm4 = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.conv = nn.Conv1d(2 * tokens, 2 * tokens, kernel_size=1)

    def forward(self, both: Tensor) -> Tensor:
        """Return `[B, 2·tokens, width]` from the tokens of both streams in the same shape."""
        image, landmark = both.chunk(2, dim=1)
        normed_image, normed_landmark = self.norm1(both).chunk(2, dim=1)
        image = image + self.drop_path(self.attn_img(normed_image, normed_landmark))
        image = image + self.drop_path(self.mlp1(self.norm2(image)))
        normed_image, normed_landmark = self.norm3(both).chunk(2, dim=1)
        landmark = landmark + self.drop_path(self.attn_lm(normed_landmark, normed_image))
        landmark = landmark + self.drop_path(self.mlp2(self.norm4(landmark)))
        return _mix(self.conv, torch.cat((image, landmark), dim=1))


class PyramidBlock(nn.Module):
    """One depth step: a block at each width, then small is added into medium and medium into large."""

    def __init__(
        self, dims: tuple[int, int, int], tokens: int, heads: int, mlp_ratio: float, drop_path: float
    ) -> None:
        super().__init__()
        large, medium, small = dims
        both = 2 * tokens
        self.block_l = Block(large, tokens, heads, mlp_ratio, drop_path)
        self.block_m = Block(medium, tokens, heads, mlp_ratio, drop_path)
        self.block_s = Block(small, tokens, heads, mlp_ratio, drop_path)
        self.upsample_m = nn.ConvTranspose1d(both, both, kernel_size=large // medium, stride=large // medium)
        self.upsample_s = nn.ConvTranspose1d(both, both, kernel_size=medium // small, stride=medium // small)

    def forward(self, levels: Levels) -> Levels:
        """Return levels of the same shapes."""
        small = self.block_s(levels.small)
        medium = self.block_m(levels.medium) + _upsample(self.upsample_s, small)
        large = self.block_l(levels.large) + _upsample(self.upsample_m, medium)
        return Levels(large, medium, small)


class CrossFusionPyramid(nn.Module):
    """Fuses `tokens` image tokens and as many landmark tokens into one feature vector.

    `dims` are the widths of the three levels, each a multiple of the next and of `heads`; stochastic depth
    rises linearly from 0 in the first step to `drop_path` in the last. The defaults are those of published
    POSTER large. Raises ValueError when the widths don't fit.
    """

    def __init__(
        self,
        dims: tuple[int, int, int] = (512, 256, 128),
        tokens: int = 49,
        depth: int = 8,
        heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_path: float = 0.1,
    ) -> None:
        super().__init__()
        if any(wide % narrow for wide, narrow in pairwise(dims)) or any(width % heads for width in dims):
            raise ValueError(f"each of the widths {dims} must be a multiple of the next and of {heads} heads")
        large, medium, small = dims
        with_class = tokens + 1
        # The published files carry a class token that the published forward pass never reads.
        self.cls_token = nn.Parameter(torch.zeros(1, 1, large))
        self.pos_embed = nn.Parameter(torch.zeros(1, with_class, large))
        self.blocks = nn.ModuleList(
            PyramidBlock(dims, with_class, heads, mlp_ratio, drop_path * step / max(depth - 1, 1))
            for step in range(depth)
        )
        both = 2 * with_class
        self.downsample_m = nn.Conv1d(both, both, kernel_size=large // medium, stride=large // medium)
        self.downsample_s = nn.Conv1d(both, both, kernel_size=large // small, stride=large // small)
        self.norm = nn.LayerNorm(large, eps=LAYER_NORM_EPS)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.apply(init_transformer)

    def forward(self, image: Tensor, landmark: Tensor) -> Tensor:
        """Return the features `[B, dims[0]]` of image and landmark tokens, both `[B, tokens, dims[0]]`."""
        both = torch.cat((_with_class_token(image) + self.pos_embed, _with_class_token(landmark)), dim=1)
        levels = Levels(both, self.downsample_m(both), self.downsample_s(both))
        for block in self.blocks:
            levels = block(levels)
        return self.norm(levels.large[:, 0])  # type: ignore[no-any-return]


def init_transformer(module: nn.Module) -> None:
    """Set a linear layer to truncated normal weights (deviation 0.02) and zero bias; leave others alone.

    For `Module.apply`; the initialisation of the published code.
    """
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _with_class_token(tokens: Tensor) -> Tensor:
    """Prepend the mean of the tokens `[B, T, D]` to them."""
    return torch.cat((tokens.mean(dim=1, keepdim=True), tokens), dim=1)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return `scaled_dot_product_attention` of `[B, heads, T, D]`.

    With so few tokens torch's own on a CPU takes nearly twice as long, and longer still backward in bfloat16;
    so does its softmax in bfloat16. Of keys that are a view, `matmul` would make a copy the slow way round.
    """
    scores = (query * query.shape[-1] ** -0.5) @ key.contiguous().transpose(-2, -1)
    return torch.matmul(scores.softmax(-1, dtype=torch.float32).to(value.dtype), value)


def _mix(conv: nn.Conv1d, tokens: Tensor) -> Tensor:
    """Return `conv` of `tokens` `[B, T, width]`; its kernel is 1, and as a matrix product it is faster."""
    bias = cast(Tensor, conv.bias)
    return torch.baddbmm(bias[:, None], conv.weight.squeeze(2).expand(len(tokens), -1, -1), tokens)


def _upsample(conv: nn.ConvTranspose1d, tokens: Tensor) -> Tensor:
    """Return `conv` of `tokens` `[B, T, width]`; as its stride is its kernel, it is a matrix product."""
    bias = cast(Tensor, conv.bias)
    kernels = conv.weight.permute(2, 1, 0).flatten(0, 1).expand(len(tokens), -1, -1)
    parts = torch.baddbmm(bias.repeat(conv.kernel_size[0])[:, None], kernels, tokens)
    return torch.stack(parts.chunk(conv.kernel_size[0], dim=1), dim=-1).flatten(2)
