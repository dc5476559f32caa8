"""The connection to the broker: one server, or a cluster of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any, Final, cast
from urllib.parse import urlsplit

from redis import Redis, RedisCluster
from redis._parsers.base import BaseParser
from redis.backoff import ExponentialBackoff
from redis.cluster import ClusterNode
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    ClusterError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from shared.errors import BrokerAwayError, BrokerError
from shared.queues.commands import Commands
from shared.queues.keys import Keys
from shared.settings import MOST_SHARDS, Settings

LOST = (
    RedisConnectionError,
    RedisTimeoutError,
    OutOfMemoryError,
    ReadOnlyError,
    ClusterDownError,
    ClusterError,
    MasterDownError,
    RedisClusterException,
    TryAgainError,
)
"""What any call raises while the broker is away or can take nothing; a service waits and tries again.

It can take nothing while its memory is full (`maxmemory`, `noeviction`) or its append-only file cannot be
written, as on a full disk; whatever needs several steps does them in one script, refused as a whole.
"""

# The client has no class of its own for the refusal that names the append-only file.
BaseParser.EXCEPTION_CLASSES["MISCONF"] = OutOfMemoryError

_CLUSTER: Final = "+cluster"
_PORT: Final = 6379


@dataclass(frozen=True)
class Broker:
    """A client and the names of its keys."""

    client: Commands
    keys: Keys
    jobs: Commands | None = None
    """The client of the server that RQ's queues are on; None: they are on the same one."""

    @property
    def is_cluster(self) -> bool:
        """Tell whether the keys of two shards may be on two servers."""
        client: object = self.client
        return isinstance(client, RedisCluster)

    def servers(self) -> list[Commands]:
        """Return a client for each server that holds data."""
        jobs = [] if self.jobs is None else [self.jobs]
        if not self.is_cluster:
            return [self.client, *jobs]
        cluster: Any = self.client  # redis-py's class for it is partly without annotations
        return [*(cluster.get_redis_connection(node) for node in cluster.get_primaries()), *jobs]

    def close(self) -> None:
        """Close the connections."""
        self.client.close()
        if self.jobs is not None:
            self.jobs.close()


def client_of(url: str) -> Commands:
    """Return a client for a `redis://`, `rediss://` or `unix://` URL, which connects at the first command.

    With `+cluster` after the scheme it is one for a Redis Cluster, which connects at once; several of its
    servers may be named, separated by commas. A blocking read must end well within the socket's timeout of
    5 s: block for 2 s at most.
    """
    try:
        if _is_ambiguous(url):
            raise ValueError("a special character in the password")
        client = _cluster(url) if is_cluster(url) else Redis.from_url(url, **_options())
    except ValueError:
        # the error may quote a part of the password
        raise BrokerError(
            "REELMOOD_REDIS_URL is not a broker address: redis://, rediss:// or unix://, redis+cluster:// or"
            " rediss+cluster://, special characters in the password as %XX"
        ) from None
    return cast("Commands", client)


def is_cluster(url: str) -> bool:
    """Tell whether a URL names a Redis Cluster."""
    return url.partition("://")[0].endswith(_CLUSTER)


def _cluster(url: str) -> RedisCluster:
    scheme, rest = url.split(f"{_CLUSTER}://", 1)
    parts = urlsplit(f"{scheme}://{rest}")
    user, at, hosts = parts.netloc.rpartition("@")
    first, *others = hosts.split(",")
    # redis-py's class has no annotations; its call is one.
    node: Any = ClusterNode
    named = [urlsplit(f"//{host}") for host in others]
    return RedisCluster.from_url(
        parts._replace(netloc=f"{user}{at}{first}").geturl(),
        startup_nodes=[node(one.hostname, one.port or _PORT) for one in named if one.hostname],
        **_options(),
    )


def _options() -> dict[str, Any]:
    return {
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), retries=3),
        "legacy_responses": False,
    }


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
    keys, jobs = Keys(settings.prefix, settings.shards), None
    if is_cluster(url):
        if not settings.jobs_url:
            raise BrokerError(
                f"the broker at {public(url)} is a cluster: set REELMOOD_JOBS_URL to a single server for the"
                " queues of clips and training runs"
            )
        with _telling(settings.jobs_url, "REELMOOD_JOBS_URL"):
            jobs = client_of(settings.jobs_url)
            jobs.ping()
    with _telling(url, "REELMOOD_REDIS_URL"):
        client = client_of(url)
        client.ping()
        return Broker(client, replace(keys, past=_past(client, keys)), jobs)


def _past(client: Commands, keys: Keys) -> tuple[int, ...]:
    """Return under which other numbers of shards clips were put here (`shards.remember`)."""
    noted = sorted(int(number) for number in client.smembers(keys.layouts) if number.isdigit())
    if not noted and keys.shards > 1 and client.exists(keys.clips):
        return (1,)
    return tuple(number for number in noted if 0 < number <= MOST_SHARDS and number != keys.shards)


@contextmanager
def _telling(url: str, setting: str) -> Iterator[None]:
    """Say in one line what is wrong with a broker."""
    try:
        yield
    except (RedisError, RedisClusterException) as error:
        if isinstance(_root_of(error), AuthenticationError):
            raise BrokerError(f"the broker at {public(url)} refuses the password") from None
        if url.startswith("rediss") and isinstance(_root_of(error), FileNotFoundError):
            raise BrokerError(
                f"a certificate file that the URL of {public(url)} names is not there"
            ) from None
        away = isinstance(error, LOST) and not _is_untrusted(error)
        kind = BrokerAwayError if away else BrokerError
        raise kind(f"the broker at {public(url)} {_complaint(error)}") from None
    except TypeError:
        raise BrokerError(f"{setting} gives {public(url)} an option that it does not have") from None


def _complaint(error: Exception) -> str:
    reason = " ".join(str(error).split())
    if _is_untrusted(error):
        return f"shows a certificate that is not trusted: {reason}"
    return f"does not answer: {reason}"


def _is_untrusted(error: Exception) -> bool:
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
