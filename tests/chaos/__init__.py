"""What is broken on purpose, and what must be true afterwards."""

import pytest

pytest.register_assert_rewrite("tests.chaos.ground")
