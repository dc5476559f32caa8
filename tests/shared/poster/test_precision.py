import pytest
import torch
from torch import nn

from shared.errors import ReelmoodError
from shared.poster.precision import choose_dtype, convert

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": False, "avx2": True}, torch.float32),
        ({"bf16": True, "sve": True}, torch.bfloat16),
        ({}, torch.float32),
    ],
)
def test_by_default_a_cpu_computes_in_bfloat16_where_it_has_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choose_dtype("auto", CPU) is expected
    assert choose_dtype("float32", CPU) is torch.float32


def test_bfloat16_can_be_asked_for_where_the_device_multiplies_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert choose_dtype("bfloat16", CPU) is torch.bfloat16
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    with pytest.raises(ReelmoodError, match="this processor does not multiply in bfloat16: use float32"):
        choose_dtype("bfloat16", CPU)


def test_all_but_batch_norms_is_converted_and_nothing_is_trained() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LayerNorm(4)).eval()
    convert(model, torch.bfloat16)
    assert {each.dtype for each in (*model[1].parameters(), *model[3].parameters())} == {torch.bfloat16}
    assert {each.dtype for each in model[0].state_dict().values() if each.is_floating_point()} == {
        torch.float32
    }
    assert not any(each.requires_grad for each in model.parameters())
    assert model(torch.zeros(1, 3, 3, 3, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_a_batch_norm_behind_a_convolution_becomes_part_of_it() -> None:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.PReLU(4))
    model = nn.Sequential(nn.BatchNorm2d(3), inner)
    for _ in range(5):
        model(torch.randn(8, 3, 6, 6) * 2 + 1)
    images = torch.randn(4, 3, 6, 6)
    expected = model.eval()(images)
    convert(model, torch.float32)
    assert [type(each) for each in inner] == [nn.Conv2d, nn.Identity, nn.PReLU]
    torch.testing.assert_close(model(images), expected)
    convert(model, torch.float32)
    torch.testing.assert_close(model(images), expected)
