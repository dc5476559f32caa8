"""The paper's own figures, to stand beside those that are measured here.

Source: Calderara, Lo Presti, Veronese, "Efficient Transformers for FER: LoRA Adaptation and Cross-Dataset
Evaluation with POSTER", Table I (full fine-tuning) and Table II (LoRA, r = 64). POSTER large, pretrained, at
most 300 epochs, measured on the split that the best epoch was chosen on.
"""

from types import MappingProxyType
from typing import Final, NamedTuple

from training.presets import PresetName
from training.spec import DatasetName

RANK: Final = 64
"""Of Table II."""
SETTINGS: Final = MappingProxyType[PresetName, str](
    {
        "standard": "Standard",
        "augmented": "Lighting + Random Erasing",
        "balanced": "Lighting + Random Erasing + Class balancing",
        "cb": "Lighting + Random Erasing + CB loss",
        "all": "Lighting + Random Erasing + Class balancing + CB loss",
    }
)
"""What the paper calls its rows."""


class Figures(NamedTuple):
    """Accuracy and macro F1, both 0..1."""

    accuracy: float
    macro_f1: float


_ROWS: Final[tuple[PresetName, ...]] = ("standard", "augmented", "balanced", "cb", "all")
_COLUMNS: Final[tuple[DatasetName, ...]] = ("ckplus", "rafdb", "affectnet8", "fer2013")
_TABLE_I: Final = """
0.9837 0.9499  0.9169 0.8668  0.7479 0.7160  0.7470 0.7409
0.9837 0.9499  0.9179 0.8708  0.7494 0.7188  0.7470 0.7357
0.9837 0.9499  0.9094 0.8625  0.7502 0.7215  0.7409 0.7302
0.9837 0.9499  0.9065 0.8526  0.7577 0.7303  0.7414 0.7361
0.9837 0.9527  0.9117 0.8634  0.7529 0.7222  0.7425 0.7323
"""
_TABLE_II: Final = """
0.9565 0.7760  0.8869 0.8301  0.7056 0.6738  0.6930 0.6758
0.9565 0.7760  0.8872 0.8318  0.7078 0.6762  0.6860 0.6661
0.9837 0.9527  0.8862 0.8283  0.7063 0.6764  0.6849 0.6662
0.9783 0.9322  0.8804 0.8232  0.7060 0.6775  0.6863 0.6659
0.9674 0.9132  0.8729 0.8154  0.7062 0.6761  0.6826 0.6653
"""


def published(dataset: DatasetName, preset: PresetName, rank: int) -> Figures | None:
    """Return what the paper reports for a preset at a rank of LoRA, 0 for full training; None if nothing."""
    table = {0: _TABLE_I, RANK: _TABLE_II}.get(rank)
    if table is None or dataset not in _COLUMNS or preset not in _ROWS:
        return None
    numbers = table.strip().splitlines()[_ROWS.index(preset)].split()
    start = 2 * _COLUMNS.index(dataset)
    return Figures(float(numbers[start]), float(numbers[start + 1]))
