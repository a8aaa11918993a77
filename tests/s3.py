"""A real S3 server on 127.0.0.1, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import s3fs

# One request at a time: the server looks for a key and writes it in two steps, so that two threads
# of it could both create one.
_SERVER = """
import sys
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
application = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", 0, application, threaded=False)
print(server.port, flush=True)
server.serve_forever()
"""
BUCKET = "models"


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """The variables by which clients find the server; it has one empty bucket."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        environ = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "tested",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        program = f"import s3fs; s3fs.S3FileSystem().mkdir('{BUCKET}')"
        subprocess.run([sys.executable, "-c", program], env=os.environ | environ, check=True)
        yield environ
    finally:
        process.kill()
        process.communicate()


def stored(environ: dict[str, str]) -> s3fs.S3FileSystem:
    """The server's files, seen by another client."""
    return s3fs.S3FileSystem(
        key=environ["AWS_ACCESS_KEY_ID"],
        secret=environ["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        use_listings_cache=False,
    )
