"""One signed request to S3, without a client library: enough for a probe and for one bucket.

Signature version 4: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hashlib
import hmac
from datetime import UTC, datetime
from http.client import HTTPConnection

from infra.environment import REGION
from infra.home import Home


def request(home: Home, method: str, path: str, query: str = "", body: bytes = b"") -> int:
    """Status of one signed request. Raises OSError when nothing answers."""
    headers = signed_headers(home, (method, path, query), body, datetime.now(UTC))
    connection = HTTPConnection("127.0.0.1", home.port("s3"), timeout=3)
    try:
        target = f"{path}?{query}" if query else path
        connection.request(method, target, body=body or None, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def signed_headers(
    home: Home, line: tuple[str, str, str], body: bytes, now: datetime
) -> dict[str, str]:
    """Headers of a request whose method, path and query are `line`."""
    headers = {
        "host": f"127.0.0.1:{home.port('s3')}",
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
    }
    return {**headers, "authorization": _authorization(home, line, headers)}


def _authorization(home: Home, line: tuple[str, str, str], headers: dict[str, str]) -> str:
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    asked = "\n".join((*line, lines, names, headers["x-amz-content-sha256"]))
    moment = headers["x-amz-date"]
    scope = f"{moment[:8]}/{REGION}/s3/aws4_request"
    digest = hashlib.sha256(asked.encode()).hexdigest()
    key = f"AWS4{home.secret('s3_secret_key')}".encode()
    for part in scope.split("/"):
        key = _sign(key, part)
    signature = _sign(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}").hex()
    credential = f"{home.secret('s3_access_key')}/{scope}"
    return f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={signature}"


def _sign(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
