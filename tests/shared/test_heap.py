import os
import subprocess
import sys

import pytest

from shared import heap

BATCHES = """
import resource, sys
import torch
from shared import heap

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if "hold" in sys.argv:
    heap.hold()
torch.set_num_threads(1)
for batch in range(30):
    before = faults()
    maps = [torch.ones(52 << 18) for _ in range(3)]
    del maps
print(faults() - before)
"""
"""Prints how many pages a batch of three maps of 52 MB took from the system, when others came before it."""


def faults_of_a_batch(*arguments: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", BATCHES, *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    return int(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="another C library")
def test_a_batch_gets_the_memory_of_the_one_before_it() -> None:
    assert faults_of_a_batch("hold") < 100 < faults_of_a_batch()


def test_few_kernels_are_kept_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    monkeypatch.setattr("shared.heap.ctypes.CDLL", lambda _: None)
    monkeypatch.delenv(name, raising=False)
    heap.hold()
    assert os.environ[name] == "256"
    monkeypatch.setenv(name, "9")
    heap.hold()
    assert os.environ[name] == "9"
