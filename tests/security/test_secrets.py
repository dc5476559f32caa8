"""The password of a broker's URL is in nothing that is shown, whatever the URL looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BrokerError
from shared.queues.broker import Broker, client_of, public
from shared.queues.keys import Keys

PASSWORDS = st.text(st.sampled_from("aZ9/?#@:%&=[]. é"), min_size=1, max_size=12).map(
    lambda text: f"QQ{text}QQ"
)


@given(PASSWORDS, st.sampled_from(["redis", "rediss"]), st.sampled_from(["", "me"]))
def test_no_part_of_a_password_is_shown(password: str, scheme: str, user: str) -> None:
    shown = public(f"{scheme}://{user}:{password}@host:6379/0?ssl_ca_certs=/a.crt")
    assert shown.startswith(f"{scheme}://")
    assert "QQ" not in shown
    assert "QQ" not in public(f"{scheme}://host:6379/0?password={password}")


@given(PASSWORDS)
def test_no_part_of_a_password_is_in_a_complaint_or_a_client(password: str) -> None:
    assert "QQ" not in _told(f"redis://:{password}@127.0.0.1:1/0")


def _told(url: str) -> str:
    try:
        return repr(Broker(client_of(url), Keys("test")))
    except BrokerError as error:
        return f"{error} {error.__cause__} {error.__suppress_context__ or error.__context__}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:6379/1", "redis://host:6379/1"),
        ("rediss://me:pw@host:6379/1?password=pw", "rediss://host:6379/1"),
        ("redis://:p@ss@host/0", "redis://host/0"),
        ("redis://:pa/ss@host/0", "redis://…"),
        ("redis://:pa#ss@host/0", "redis://…"),
        ("redis://host/0?password=p@ss", "redis://…"),
        ("unix://me:pw@/run/broker.sock?db=1", "unix:///run/broker.sock"),
        ("redis://[broken", "redis://…"),
    ],
)
def test_a_url_as_it_is_shown(url: str, shown: str) -> None:
    assert public(url) == shown
