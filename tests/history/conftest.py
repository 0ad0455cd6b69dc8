"""A server that speaks S3, for all tests of files."""

from collections.abc import Iterator

import pytest
from pyarrow import fs


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """The URL of a bucket in it, with a place for a `prefix`."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - two seconds that only those pay who ask for a bucket

    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    fs.S3FileSystem(
        access_key="k", secret_key="s", region="eu-west-1", scheme="http",
        endpoint_override=f"{host}:{port}", allow_bucket_creation=True,
    ).create_dir("archive")  # fmt: skip
    yield f"s3://k:s@archive/{{prefix}}?region=eu-west-1&scheme=http&endpoint_override={host}%3A{port}"
    server.stop()
