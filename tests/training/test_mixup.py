import numpy as np
import torch

from training.mixup import mix


def test_pictures_and_targets_are_blended_alike() -> None:
    # Each picture is its own target, so both must come out the same.
    targets = torch.eye(6)
    images = targets[:, :, None, None].expand(-1, -1, 4, 4)
    mixed, shares = mix(images, targets, 0.4, np.random.default_rng(3))
    torch.testing.assert_close(mixed[:, :, 2, 1], shares)
    torch.testing.assert_close(shares.sum(1), torch.ones(6))
    # Of every row, one share is the proportion, the other what is left; or all of it, paired with itself.
    kept = shares.diagonal()
    alone = kept == 1
    assert not alone.all()
    assert len(set(kept[~alone].tolist())) == 1
    # Everyone is a partner once: columns sum to 1 too.
    torch.testing.assert_close(shares.sum(0), torch.ones(6))


def test_the_proportion_is_of_the_beta_distribution() -> None:
    def kept(seed: int) -> float:
        _, shares = mix(torch.zeros(64, 1), torch.eye(64), 0.2, np.random.default_rng(seed))
        return float(shares.diagonal().min())

    drawn = np.array([kept(seed) for seed in range(400)])
    # Beta(0.2, 0.2): mean 1/2, variance 1 / (4 · (2 · 0.2 + 1)).
    assert abs(drawn.mean() - 0.5) < 5 * np.sqrt(1 / 5.6 / 400)
    assert abs(drawn.var() - 1 / 5.6) < 0.03
