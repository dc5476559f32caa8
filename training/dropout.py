"""Dropout that costs less on a CPU."""

from typing import Final

import torch
from torch import Tensor, nn

_LEVELS: Final = 1 << 16


class BitDropout(nn.Dropout):
    """Dropout whose mask takes 16 random bits an element; `p` is brought to a multiple of 1/65536.

    torch draws a double for each on a CPU: with low-rank pairs beside every layer that alone was a sixth of
    the time of a pass.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the signature of nn.Dropout
        """Return a tensor of the shape and type of `input`; it itself in evaluation mode."""
        dropped = round(self.p * _LEVELS)
        if input.device.type != "cpu" or not self.training or dropped in {0, _LEVELS}:
            return super().forward(input)
        words = torch.empty(-(-input.numel() // 4), dtype=torch.int64)
        words.random_(torch.iinfo(torch.int64).min, None)
        bits = words.view(torch.int16)[: input.numel()].view(input.shape)
        kept = (bits >= dropped - _LEVELS // 2).to(input.dtype)
        return input * kept.mul_(_LEVELS / (_LEVELS - dropped))
