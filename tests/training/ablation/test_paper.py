import pytest

from training.ablation.paper import Figures, published
from training.presets import PAPER


@pytest.mark.parametrize(
    ("dataset", "preset", "rank", "figures"),
    [
        ("fer2013", "standard", 0, (0.7470, 0.7409)),
        ("fer2013", "all", 0, (0.7425, 0.7323)),
        ("rafdb", "augmented", 0, (0.9179, 0.8708)),
        ("affectnet8", "cb", 0, (0.7577, 0.7303)),
        ("ckplus", "all", 0, (0.9837, 0.9527)),
        ("fer2013", "standard", 64, (0.6930, 0.6758)),
        ("fer2013", "cb", 64, (0.6863, 0.6659)),
        ("rafdb", "augmented", 64, (0.8872, 0.8318)),
        ("ckplus", "balanced", 64, (0.9837, 0.9527)),
    ],
)
def test_figures_stand_where_the_paper_has_them(
    dataset: str, preset: str, rank: int, figures: tuple[float, float]
) -> None:
    assert published(dataset, preset, rank) == Figures(*figures)  # type: ignore[arg-type]


def test_there_are_none_for_what_the_paper_did_not_run() -> None:
    assert published("fer2013", "standard", 32) is None
    assert published("fer2013", "modern", 0) is None
    assert published("affectnet7", "standard", 0) is None
    assert all(published("fer2013", preset, rank) for preset in PAPER for rank in (0, 64))
