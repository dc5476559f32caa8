import numpy as np
import pytest
import torch
from torch import nn

from training.sam import perturbed, still_statistics

MATRIX = torch.tensor([[3.0, 1.0], [1.0, 2.0]])
START = torch.tensor([1.0, -2.0])


def quadratic(*parameters: nn.Parameter) -> torch.Tensor:
    """½ wᵀAw, whose gradient is Aw."""
    point = torch.cat([parameter.reshape(-1) for parameter in parameters])
    return 0.5 * point @ MATRIX @ point


def test_the_step_is_that_of_the_paper_on_a_quadratic() -> None:
    parameter = nn.Parameter(START.clone())
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    quadratic(parameter).backward()  # type: ignore[no-untyped-call]
    with perturbed([parameter], rho=0.05):
        quadratic(parameter).backward()  # type: ignore[no-untyped-call]
    optimizer.step()

    a, w = MATRIX.double().numpy(), START.double().numpy()
    gradient = a @ w
    highest = w + 0.05 * gradient / np.linalg.norm(gradient)
    np.testing.assert_allclose(parameter.detach(), w - 0.1 * (a @ highest), rtol=1e-6)


def test_all_parameters_are_one_vector() -> None:
    parts = [nn.Parameter(START[:1].clone()), nn.Parameter(START[1:].reshape(1, 1).clone())]
    quadratic(*parts).backward()  # type: ignore[no-untyped-call]
    gradient = MATRIX @ START
    with perturbed(parts, rho=0.5):
        moved = torch.cat([part.detach().reshape(-1) for part in parts])
        torch.testing.assert_close(moved, START + 0.5 * gradient / gradient.norm())
        assert all(part.grad is None for part in parts)


def test_weights_come_back_bit_for_bit() -> None:
    parameter = nn.Parameter(torch.randn(1000, generator=torch.Generator().manual_seed(1)))
    before = parameter.detach().clone()
    parameter.pow(3).sum().backward()  # type: ignore[no-untyped-call]
    with perturbed([parameter], rho=0.7):
        assert not torch.equal(parameter, before)
    assert torch.equal(parameter, before)


def test_weights_come_back_after_an_error() -> None:
    parameter = nn.Parameter(START.clone())
    quadratic(parameter).backward()  # type: ignore[no-untyped-call]
    with pytest.raises(KeyError), perturbed([parameter], rho=1):
        raise KeyError
    assert torch.equal(parameter, START)


def test_what_has_no_gradient_stays() -> None:
    used, unused = nn.Parameter(START.clone()), nn.Parameter(torch.ones(3))
    quadratic(used).backward()  # type: ignore[no-untyped-call]
    with perturbed([used, unused], rho=1):
        assert torch.equal(unused, torch.ones(3))


def test_at_the_lowest_point_nothing_moves() -> None:
    parameter = nn.Parameter(torch.zeros(2))
    quadratic(parameter).backward()  # type: ignore[no-untyped-call]
    with perturbed([parameter], rho=1):
        assert torch.equal(parameter, torch.zeros(2))


def test_running_statistics_stay() -> None:
    norm = nn.BatchNorm1d(3)
    batch = 5 + torch.randn(16, 3, generator=torch.Generator().manual_seed(2))
    norm(batch)
    before = {name: each.clone() for name, each in norm.state_dict().items()}
    with still_statistics(norm):
        shown = norm(batch)
    assert all(torch.equal(each, before[name]) for name, each in norm.state_dict().items())
    # The batch's own statistics are still those that it is normalised by.
    torch.testing.assert_close(shown.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    norm(batch)
    assert not torch.equal(norm.state_dict()["running_mean"], before["running_mean"])
