"""A Redis Cluster for the tests that need one."""

from collections.abc import Iterator

import pytest

from shared.queues.broker import Broker, connect
from shared.settings import Settings
from tests.cluster import cluster

SHARDS = 4


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of one cluster for the whole run."""
    with cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture(params=["server", "cluster"])
def several(request: pytest.FixtureRequest, settings: Settings, broker: Broker) -> Iterator[Broker]:
    """A broker with four shards: on one server, and on a cluster of three, with RQ's queues on one server."""
    changes: dict[str, object] = {"shards": SHARDS}
    if request.param == "cluster":
        changes |= {"redis_url": request.getfixturevalue("cluster_url"), "jobs_url": settings.redis_url}
    connected = connect(settings.model_copy(update=changes))
    connected.client.flushall()
    yield connected
    connected.client.flushall()
    broker.client.flushall()
    connected.close()
