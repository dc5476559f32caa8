import copy

import pytest
import torch
from torch import nn

from shared.poster.cam import predict_with_cam
from shared.poster.expression import ExpressionModel
from shared.poster.packed import PackedConv2d, PackedLinear, pack
from shared.poster.precision import convert, has_fast_bf16
from shared.poster.sizes import build

CPU = torch.device("cpu")
PRECISIONS = [
    torch.float32,
    pytest.param(
        torch.bfloat16, marks=pytest.mark.skipif(not has_fast_bf16(CPU), reason="a CPU without bfloat16")
    ),
]
packs = pytest.mark.skipif(
    torch.cpu.get_capabilities().get("architecture") != "x86_64", reason="a CPU of another kind"
)


def frozen(size: str, dtype: torch.dtype) -> ExpressionModel:
    torch.manual_seed(0)
    model = build(size, 7).eval()  # type: ignore[arg-type]
    convert(model, dtype)
    return model.to(memory_format=torch.channels_last)


def faces(model: ExpressionModel, count: int, dtype: torch.dtype) -> torch.Tensor:
    images = torch.randn(count, 3, model.input_size, model.input_size).to(dtype)
    return images.to(memory_format=torch.channels_last)


@packs
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("size", ["nano", "small"])
def test_a_packed_model_answers_and_explains_as_the_plain_one(size: str, dtype: torch.dtype) -> None:
    plain = frozen(size, dtype)
    packed = copy.deepcopy(plain)
    pack(packed, faces(packed, 1, dtype))
    kinds = {type(layer) for layer in packed.modules()}
    assert {PackedLinear, PackedConv2d} <= kinds
    for count in (1, 3):
        images = faces(plain, count, dtype)
        exact, answer = predict_with_cam(plain, images), predict_with_cam(packed, images)
        atol = 1e-4 if dtype == torch.float32 else 0.02
        torch.testing.assert_close(answer.logits, exact.logits, rtol=0.05, atol=atol)
        torch.testing.assert_close(answer.embedding, exact.embedding, rtol=0.05, atol=atol)
        torch.testing.assert_close(answer.cam, exact.cam, rtol=0, atol=0.05)
        with torch.inference_mode():
            again = packed(images).logits.float()
        torch.testing.assert_close(again, answer.logits, rtol=0.05, atol=atol)


@packs
def test_a_gradient_goes_through_as_through_the_plain_layers() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 5), nn.Linear(5, 2, bias=False))
    convert(model.eval(), torch.float32)
    images = torch.randn(6, 3, 4, 4, requires_grad=True)
    (expected,) = torch.autograd.grad(model(images).square().sum(), images)
    pack(model, torch.zeros(1, 3, 4, 4))
    (found,) = torch.autograd.grad(model(images).square().sum(), images)
    torch.testing.assert_close(found, expected)


@packs
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_an_activation_becomes_part_of_the_layer_before_it(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16, 5),
        nn.GELU(),
        nn.Linear(5, 2),
        nn.GELU("tanh"),
    )
    convert(plain.eval(), dtype)
    packed = copy.deepcopy(plain)
    images = torch.randn(6, 3, 4, 4).to(dtype)
    pack(packed, images)
    assert not any(isinstance(layer, nn.ReLU | nn.GELU) for layer in packed)
    atol = 1e-5 if dtype == torch.float32 else 0.02
    torch.testing.assert_close(packed(images), plain(images), rtol=0.02, atol=atol)
    gradients: list[torch.Tensor] = []
    for model in (plain, packed):
        leaf = images.clone().requires_grad_()
        gradients += torch.autograd.grad(model(leaf).float().square().sum(), leaf)
    torch.testing.assert_close(*gradients, rtol=0.05, atol=atol)


@packs
def test_an_activation_elsewhere_stays() -> None:
    model = nn.Sequential(nn.ReLU(), nn.Linear(3, 2), nn.Flatten(), nn.ReLU()).eval()
    convert(model, torch.float32)
    pack(model, torch.zeros(1, 3))
    assert [type(layer) for layer in model] == [nn.ReLU, PackedLinear, nn.Flatten, nn.ReLU]


def test_only_layers_that_a_face_goes_through_are_packed() -> None:
    class Unused(nn.Sequential):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self[0](images)  # type: ignore[no-any-return]

    model = Unused(nn.Flatten(), nn.Linear(3, 2)).eval()
    pack(model, torch.zeros(1, 3))
    assert type(model[1]) is nn.Linear


@packs
def test_what_is_packed_stays() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 5)).eval()
    convert(model, torch.float32)
    pack(model, torch.zeros(1, 3, 4, 4))
    first = list(model)
    pack(model, torch.zeros(1, 3, 4, 4))
    assert list(model) == first
    assert type(model[0].plain) is nn.Conv2d


@pytest.mark.parametrize("capabilities", [{"architecture": "aarch64", "bf16": True}, {}])
def test_another_kind_of_processor_keeps_the_plain_layers(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, object]
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    model = nn.Sequential(nn.Linear(3, 2)).eval()
    pack(model, torch.zeros(1, 3))
    assert type(model[0]) is nn.Linear


def test_bfloat16_is_not_packed_where_the_processor_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"architecture": "x86_64", "avx2": True})
    model = nn.Sequential(nn.Linear(3, 2)).eval().bfloat16()
    pack(model, torch.zeros(1, 3, dtype=torch.bfloat16))
    assert type(model[0]) is nn.Linear
