import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.emotions import LABEL_SETS
from shared.errors import ModelError
from shared.poster.config import (
    SIZES,
    ModelConfig,
    Preprocessing,
    decode_config,
    encode_config,
    read_config,
)

VALID = encode_config(ModelConfig(name="mine", size="nano", input_size=128))

UNIT = st.floats(0, 1)
PREPROCESSINGS = st.builds(
    Preprocessing,
    mean=st.tuples(UNIT, UNIT, UNIT),
    std=st.tuples(*[st.floats(0.01, 1)] * 3),
    channels=st.sampled_from(["rgb", "grey"]),
    resample=st.none() | st.integers(8, 1024),
    zoom=st.floats(0.25, 4),
)
CONFIGS = st.builds(
    ModelConfig,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
    size=st.sampled_from(SIZES),
    labels=st.sampled_from(list(LABEL_SETS.values())),
    input_size=st.integers(8, 1024),
    embedding_dim=st.integers(1, 4096),
    preprocessing=PREPROCESSINGS,
    metrics=st.none() | st.dictionaries(st.text(), UNIT),
    base=st.none() | st.from_regex(r"[a-z]{1,9}@[0-9a-f]{8}", fullmatch=True),
)


@given(CONFIGS)
def test_a_config_survives_its_file(config: ModelConfig) -> None:
    assert decode_config(encode_config(config)) == config


@given(
    st.binary()
    | st.tuples(st.integers(0, len(VALID) - 1), st.binary(max_size=3)).map(
        lambda edit: VALID[: edit[0]] + edit[1] + VALID[edit[0] + 1 :]
    )
)
def test_any_other_file_is_refused_in_one_line_or_still_valid(data: bytes) -> None:
    refusal = None
    try:
        config = decode_config(data, "here/config.json")
    except ModelError as error:
        refusal = str(error)
    if refusal is None:
        assert decode_config(encode_config(config)) == config
    else:
        assert refusal.startswith("here/config.json")
        assert len(refusal.splitlines()) == 1


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("size", "huge", "size"),
        ("labels", ["happy", "sad"], "labels must name"),
        ("labels", ["happy"] * 7, "labels must name"),
        ("input_size", 0, "input_size"),
        ("name", "../elsewhere", "name"),
        ("preprocessing", {"std": [0, 1, 1]}, "std"),
        ("preprocessing", {"mean": [0.5]}, "mean"),
        ("preprocessing", {"channels": "bgr"}, "channels"),
        ("metrics", {"accuracy": "high"}, "metrics"),
        ("format_version", 2, "newer"),
    ],
)
def test_what_is_wrong_is_named(field: str, value: object, reason: str) -> None:
    wrong = json.dumps(json.loads(VALID) | {field: value}).encode()
    with pytest.raises(ModelError, match=reason):
        decode_config(wrong)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ModelError, match="input_size"):
        decode_config(b'{"format_version": 1, "name": "mine", "size": "nano"}')


def test_a_newer_format_is_refused_before_its_fields_are_looked_at() -> None:
    with pytest.raises(ModelError, match="format 7, newer than 1: update"):
        decode_config(b'{"format_version": 7, "architecture": "other"}')


def test_fields_of_later_minor_versions_are_passed_over() -> None:
    later = json.dumps(json.loads(VALID) | {"trained_on": "films"}).encode()
    assert decode_config(later) == decode_config(VALID)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent.json cannot be read: No such file"):
        read_config(tmp_path / "absent.json")
