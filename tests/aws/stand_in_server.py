"""The server process of the stand-in for AWS: MiniStack, as an endpoint and as an HTTP proxy.

    python -m tests.aws.stand_in_server 127.0.0.1:4566 [MS]     or fd://N, a listening socket

As a proxy it answers for every host, so that clients need not resolve the names boto3 makes of the
endpoint's (the account's number in front of it). Where MiniStack 1.4 is not like AWS it is mended
here: its UpdateFunction takes the live stage away, which CloudFront keeps until PublishFunction,
its CopyObject does not tell the checksum of the copy, and its invalidations are done at once
(tests/aws/invalidations.py).

MS is the latency of a network in milliseconds: every answer is held back that long, and requests in
flight wait side by side.

With its standard input a pipe, the server ends when that is closed: a test run that dies leaves
nothing behind.
"""

import asyncio
import os
import stat
import sys
import threading

os.environ.setdefault("LOG_LEVEL", "WARNING")

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app as ministack
from ministack.services import cloudfront, s3

from tests.aws.invalidations import take_time_to_invalidate


async def app(scope, receive, send):
    """Answer a request; a proxy's absolute address (http://host/path) becomes a path."""
    if scope["type"] == "http" and scope["path"].startswith("http://"):
        path = "/" + scope["path"].split("/", 3)[3]
        raw_path = b"/" + scope["raw_path"].split(b"/", 3)[3]
        scope = {**scope, "path": path, "raw_path": raw_path}
    await ministack(scope, receive, send)


def delayed(app, seconds):
    """Return an application that begins each of its answers so much later."""

    async def delayed_app(scope, receive, send):
        async def send_later(message):
            if message["type"] == "http.response.start":
                await asyncio.sleep(seconds)
            await send(message)

        await app(scope, receive, send_later)

    return delayed_app


def keep_live_stages():
    """Give functions a live stage that only PublishFunction changes."""
    update, publish, get = (
        cloudfront._cf_update_function,
        cloudfront._cf_publish_function,
        cloudfront._cf_get_function,
    )

    def update_function(name, headers, body):
        known = cloudfront._functions.get(name) or {}
        live = {key: known.get(key) for key in ("live_etag", "last_modified_live")}
        if known:
            live["live_code"] = known.get("live_code", known["code"])
        answer = update(name, headers, body)
        known.update(live)
        return answer

    def publish_function(name, headers):
        answer = publish(name, headers)
        if answer[0] < 300:
            cloudfront._functions[name]["live_code"] = cloudfront._functions[name]["code"]
        return answer

    def get_function(name, stage):
        status, headers, code = get(name, stage)
        if status < 300 and stage == "LIVE":
            code = cloudfront._functions[name].get("live_code", code)
        return status, headers, code

    cloudfront._cf_update_function = update_function
    cloudfront._cf_publish_function = publish_function
    cloudfront._cf_get_function = get_function


def tell_checksums_of_copies():
    """Answer CopyObject with the SHA-256 of the copy, where the object has one."""
    copy = s3._copy_object

    def copy_object(bucket, key, headers):
        status, answer, body = copy(bucket, key, headers)
        if status == 200:
            found = s3._ensure_bucket(bucket)["objects"][key].get("checksums", {}).get("SHA256")
            told = f"<ChecksumSHA256>{found}</ChecksumSHA256></CopyObjectResult>".encode()
            body = body.replace(b"</CopyObjectResult>", told) if found else body
        return status, answer, body

    s3._copy_object = copy_object


def end_with_parent():
    """End this process when the pipe on its standard input is closed."""
    sys.stdin.buffer.read()
    os._exit(0)


def main(bind, latency_ms="0"):
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=end_with_parent, daemon=True).start()
    keep_live_stages()
    tell_checksums_of_copies()
    take_time_to_invalidate()
    config = Config()
    config.bind = [bind]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    latency = float(latency_ms) / 1_000
    asyncio.run(serve(delayed(app, latency) if latency else app, config))


if __name__ == "__main__":
    main(*sys.argv[1:])
