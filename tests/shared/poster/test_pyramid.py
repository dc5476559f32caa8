import pytest
import torch
from torch.testing import assert_close

from shared.poster.pyramid import CrossAttention, CrossFusionPyramid, PyramidBlock


def test_any_widths_and_number_of_tokens_give_one_vector_as_wide_as_the_widest() -> None:
    pyramid = CrossFusionPyramid((48, 24, 8), tokens=9, depth=2, heads=4).eval()
    with torch.no_grad():
        assert pyramid(torch.randn(3, 9, 48), torch.randn(3, 9, 48)).shape == (3, 48)


@pytest.mark.parametrize(("dims", "heads"), [((64, 32, 12), 4), ((60, 32, 16), 4), ((64, 32, 16), 3)])
def test_widths_that_do_not_fit_are_refused(dims: tuple[int, int, int], heads: int) -> None:
    with pytest.raises(ValueError, match="multiple"):
        CrossFusionPyramid(dims, tokens=9, depth=1, heads=heads)


def test_both_streams_reach_the_features() -> None:
    pyramid = CrossFusionPyramid((32, 16, 8), tokens=4, depth=1, heads=2).eval()
    image = torch.randn(1, 4, 32, requires_grad=True)
    landmark = torch.randn(1, 4, 32, requires_grad=True)
    pyramid(image, landmark)[0, 0].backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert landmark.grad is not None
    assert landmark.grad.abs().sum() > 0


def test_stochastic_depth_rises_linearly_and_acts_in_training_only() -> None:
    pyramid = CrossFusionPyramid((32, 16, 8), tokens=4, depth=3, heads=2, drop_path=0.5)
    rates = [block.block_l.drop_path.p for block in pyramid.blocks if isinstance(block, PyramidBlock)]
    assert rates == [0, 0.25, 0.5]
    tokens = torch.randn(1, 4, 32)
    pyramid.eval()
    with torch.no_grad():
        assert_close(pyramid(tokens, tokens), pyramid(tokens, tokens), rtol=0, atol=0)
        pyramid.train()
        torch.manual_seed(0)
        assert len({float(pyramid(tokens, tokens)[0, 0]) for _ in range(20)}) > 1


def test_attention_is_that_of_the_formula_with_the_other_stream_as_query() -> None:
    attention = CrossAttention(width=8, heads=2)
    own, other = torch.randn(1, 3, 8), torch.randn(1, 3, 8)
    with torch.no_grad():
        key, value = attention.kv(own).chunk(2, dim=-1)
        heads = [
            ((other[..., part] @ key[..., part].mT) / 4**0.5).softmax(dim=-1) @ value[..., part]
            for part in (slice(0, 4), slice(4, 8))
        ]
        assert_close(attention(own, other), attention.proj(torch.cat(heads, dim=-1)))
