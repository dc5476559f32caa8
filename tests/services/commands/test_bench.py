"""`reelmood bench`."""

import json

import torch

from tests.services.commands.conftest import Reelmood

TINY = ("--size", "nano", "--rank", 4, "--batch-size", 2, "--steps", 1, "--rounds", 1, "--validation", 7)


def test_the_benchmark_of_lora_prints_a_table_or_json(reelmood: Reelmood) -> None:
    answer = reelmood("bench", "lora", *TINY, "--json", "--threads", torch.get_num_threads())
    assert answer.code == 0, answer.err
    measured = json.loads(answer.out)
    ratio = measured["plain"]["step_seconds"] / measured["reelmood"]["step_seconds"]
    assert measured["speedup"] == ratio
    assert measured["settings"]["batch_size"] == 2
    table = reelmood("bench", "lora", *TINY)
    assert table.code == 0, table.err
    assert "times as fast" in table.out
    assert "extrapolated" in table.out


def test_a_data_set_that_is_not_there_is_one_line(reelmood: Reelmood) -> None:
    answer = reelmood("bench", "lora", *TINY, "--data", "nowhere")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
