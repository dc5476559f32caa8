import numpy as np
import torch

from shared.poster.config import Preprocessing
from shared.poster.mobilefacenet import MobileFaceNet
from shared.poster.streams import MEAN_RGB, LandmarkNet
from training.landmarks.points import mirror
from training.landmarks.student import find_points, learn, new_student, points_of
from training.landmarks.teacher import teach

CPU = torch.device("cpu")


def test_a_new_student_starts_with_mean_and_spread_of_the_points() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    points = rng.normal(rng.random((68, 2)), 0.1, (50, 68, 2)).astype(np.float32)
    net = new_student(points)
    learn(net)
    assert all(parameter.requires_grad for parameter in net.parameters())
    said = points_of(net, torch.randn(8, 3, 112, 112)).detach().numpy()
    # In training, the last batch norm makes mean and spread of a batch what they were set to.
    np.testing.assert_allclose(said.mean(axis=0), points.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(said.std(axis=0), points.std(axis=0), rtol=0.05)


def test_only_learning_moves_the_running_statistics() -> None:
    net = MobileFaceNet()
    mean = net.get_buffer("conv1.bn.running_mean")
    before = mean.clone()
    net.train()
    points_of(net, torch.randn(2, 3, 112, 112))
    torch.testing.assert_close(mean, before)
    learn(net)
    points_of(net, torch.randn(2, 3, 112, 112))
    assert not torch.equal(mean, before)


def test_points_are_found_in_grey_and_in_colour_alike() -> None:
    torch.manual_seed(0)
    grey = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    how = Preprocessing()
    net = MobileFaceNet()
    found = find_points(net, grey, how, CPU)
    assert found.shape == (3, 68, 2)
    assert found.dtype == np.float32
    np.testing.assert_allclose(find_points(net, grey.repeat(3, axis=3), how, CPU), found, atol=1e-5)


def test_the_teacher_says_the_same_of_a_mirror_image() -> None:
    torch.manual_seed(0)
    net = LandmarkNet()
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    taught = teach(net, images, CPU)
    np.testing.assert_allclose(mirror(teach(net, images[:, :, ::-1], CPU)), taught, atol=1e-5)
    alone = find_points(net, images, Preprocessing(mean=MEAN_RGB, std=(1.0, 1.0, 1.0)), CPU)
    assert not np.allclose(alone, taught, atol=1e-5)
