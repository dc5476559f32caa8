"""A server on loopback that speaks S3 (moto's)."""

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import s3fs
from moto.server import ThreadedMotoServer

_numbers = itertools.count(1)


@contextmanager
def serving() -> Iterator[dict[str, str]]:
    """Run the server for a block; yield the variables by which the AWS libraries find it and are let in."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "something",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with patch.dict("os.environ", variables):
        yield variables
    server.stop()


def new_bucket(variables: dict[str, str]) -> str:
    """Make a bucket and return its URL."""
    name = f"bucket-{next(_numbers)}"
    s3fs.S3FileSystem(endpoint_url=variables["AWS_ENDPOINT_URL"]).mkdir(name)
    return f"s3://{name}"
