import pytest
import torch

from training.dropout import BitDropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_rest_scaled(p: float) -> None:
    torch.manual_seed(0)
    ones = torch.ones(3, 100_001)
    dropped = BitDropout(p)(ones)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / (1 - p)], rel=1e-3)
    # Three standard deviations of a mean of 300,003 draws.
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=3 * (p * (1 - p) / 300_003) ** 0.5)
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)


def test_places_are_dropped_independently() -> None:
    torch.manual_seed(1)
    dropped = (BitDropout(0.5)(torch.ones(8, 4, 10_000)) == 0).double()
    pairs = torch.corrcoef(dropped.view(32, 10_000))
    along = torch.corrcoef(dropped.reshape(-1, 4).T)
    for correlations in (pairs, along):
        assert (correlations - torch.eye(len(correlations))).abs().max() < 0.05


def test_the_gradient_goes_where_the_value_went() -> None:
    torch.manual_seed(2)
    values = torch.randn(64, dtype=torch.bfloat16, requires_grad=True)
    dropped = BitDropout(0.5)(values)
    dropped.sum().backward()
    assert dropped.dtype == torch.bfloat16
    assert values.grad is not None
    assert torch.equal(values.grad, 2 * (dropped != 0).bfloat16())


def test_it_draws_from_torchs_generator() -> None:
    layer, ones = BitDropout(0.5), torch.ones(1000)
    torch.manual_seed(3)
    first = layer(ones)
    assert not torch.equal(layer(ones), first)
    torch.manual_seed(3)
    assert torch.equal(layer(ones), first)


def test_nothing_is_dropped_at_rest() -> None:
    ones = torch.ones(1000)
    assert BitDropout(0.5).eval()(ones) is ones
    assert torch.equal(BitDropout(0.0)(ones), ones)
    assert torch.equal(BitDropout(1.0)(ones), torch.zeros(1000))
