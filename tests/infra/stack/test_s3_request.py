"""Our signature of an S3 request is the one that botocore makes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.home import record_home
from infra.stack.s3_request import signed_headers


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [("GET", "/", "", b""), ("PUT", "/bucket", "versioning=", b"<x/>"), ("HEAD", "/b", "", b"")],
    ids=["list", "versioning", "head"],
)
def test_the_signature_is_botocores(
    tmp_path: Path, method: str, path: str, query: str, body: bytes
) -> None:
    home = record_home(tmp_path, 20000)
    headers = signed_headers(home, (method, path, query), body, datetime.now(UTC))
    url = f"http://127.0.0.1:20001{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body)
    request.headers["x-amz-content-sha256"] = headers["x-amz-content-sha256"]
    request.context["timestamp"] = headers["x-amz-date"]
    keys = Credentials(home.secret("s3_access_key"), home.secret("s3_secret_key"))
    signer = SigV4Auth(keys, "s3", "us-east-1")
    request.headers["X-Amz-Date"] = headers["x-amz-date"]
    canonical = signer.canonical_request(request)
    expected = signer.signature(signer.string_to_sign(request, canonical), request)
    assert headers["authorization"].endswith(f"Signature={expected}")
