"""The connection to the broker."""

from dataclasses import dataclass
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import cast
from urllib.parse import urlsplit

from redis import Redis
from redis._parsers.base import BaseParser
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from shared.errors import BrokerAwayError, BrokerError
from shared.queues.commands import Commands
from shared.queues.keys import Keys
from shared.settings import Settings

LOST = (
    RedisConnectionError,
    RedisTimeoutError,
    OutOfMemoryError,
    ReadOnlyError,
    ClusterDownError,
    MasterDownError,
    TryAgainError,
)
"""What any call raises while the broker is away or can take nothing; a service waits and tries again.

It can take nothing while its memory is full (`maxmemory`, `noeviction`) or its append-only file cannot be
written, as on a full disk; whatever needs several steps does them in one script, refused as a whole.
"""

# The client has no class of its own for the refusal that names the append-only file.
BaseParser.EXCEPTION_CLASSES["MISCONF"] = OutOfMemoryError


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
        if _is_ambiguous(url):
            raise ValueError("a special character in the password")
        client = Redis.from_url(
            url,
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=3),
            legacy_responses=False,
        )
    except ValueError:
        # the error may quote a part of the password
        raise BrokerError(
            "REELMOOD_REDIS_URL is not a broker address: redis://, rediss:// or unix://,"
            " special characters in the password as %XX"
        ) from None
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
    """Connect to the broker.

    Raises BrokerError, in one line, when that cannot be done; BrokerAwayError when it just does not answer.
    """
    url = address_of(settings)
    broker = Broker(client_of(url), Keys(settings.prefix))
    try:
        broker.client.ping()
    except AuthenticationError:
        raise BrokerError(f"the broker at {public(url)} refuses the password") from None
    except RedisError as error:
        if url.startswith("rediss://") and isinstance(_root_of(error), FileNotFoundError):
            raise BrokerError(
                f"a certificate file that the URL of {public(url)} names is not there"
            ) from None
        away = isinstance(error, LOST) and not _is_untrusted(error)
        kind = BrokerAwayError if away else BrokerError
        raise kind(f"the broker at {public(url)} {_complaint(error)}") from None
    except TypeError:
        raise BrokerError(f"REELMOOD_REDIS_URL gives {public(url)} an option that it does not have") from None
    return broker


def _complaint(error: RedisError) -> str:
    reason = " ".join(str(error).split())
    if _is_untrusted(error):
        return f"shows a certificate that is not trusted: {reason}"
    return f"does not answer: {reason}"


def _is_untrusted(error: RedisError) -> bool:
    return isinstance(_root_of(error), SSLCertVerificationError)


def _root_of(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def public(url: str) -> str:
    """Return a URL without its user, password and options, as it may be shown.

    Of one whose parts cannot be told apart for certain, the scheme alone.
    """
    if _is_ambiguous(url):
        return f"{url.partition('://')[0]}://…"
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _is_ambiguous(url: str) -> bool:
    """Tell whether a bare `/`, `?` or `#` may have cut a password in two, so that it looks like a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    path = "" if parts.scheme == "unix" else parts.path
    return "@" in path + parts.query + parts.fragment
