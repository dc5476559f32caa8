"""The connection to the broker."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from shared.errors import BrokerError
from shared.queues.commands import Commands
from shared.queues.keys import Keys
from shared.settings import Settings

LOST = (RedisConnectionError, RedisTimeoutError)
"""What any call raises while the broker is away; a service waits and tries again."""


@dataclass(frozen=True)
class Broker:
    """A client and the names of its keys."""

    client: Commands
    keys: Keys


def client_of(url: str) -> Commands:
    """Return a client for a `redis://`, `rediss://` or `unix://` URL; it connects at the first command.

    A blocking read must end well within the socket's timeout of 5 s: block for 2 s at most.
    """
    try:
        client = Redis.from_url(
            url,
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=3),
            legacy_responses=False,
        )
    except ValueError as error:
        raise BrokerError(f"REELMOOD_REDIS_URL is not a broker address: {error}") from None
    return cast("Commands", client)


def address_file(home: Path) -> Path:
    """Return the file in which a running embedded broker leaves its address (readable by its owner only)."""
    return home / "broker" / "address"


def address_of(settings: Settings) -> str:
    """Return the broker's URL: the configured one, else that of the embedded broker of this home.

    Raises BrokerError when there is neither.
    """
    if settings.redis_url:
        return settings.redis_url
    try:
        return address_file(settings.home).read_text().strip()
    except OSError:
        raise BrokerError(
            f"no broker is running for {settings.home}: start `reelmood up`, or set REELMOOD_REDIS_URL"
        ) from None


def connect(settings: Settings) -> Broker:
    """Connect to the broker. Raises BrokerError, in one line, when it does not answer."""
    url = address_of(settings)
    broker = Broker(client_of(url), Keys(settings.prefix))
    try:
        broker.client.ping()
    except AuthenticationError:
        raise BrokerError(f"the broker at {public(url)} refuses the password") from None
    except RedisError as error:
        raise BrokerError(f"the broker at {public(url)} does not answer: {error}") from None
    return broker


def public(url: str) -> str:
    """Return a URL without its user and password, as it may be shown."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2].partition('?')[0]}"
