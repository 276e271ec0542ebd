"""Which AWS operations the product calls, and the IAM actions and resources they need.

Source of what an operation needs: the pages "Actions, resources, and condition keys" of S3,
CloudFront, CloudFront KeyValueStore, CloudFormation and CloudWatch in the Service Authorization
Reference, and S3's "Required permissions for Amazon S3 API operations".
"""

from contextlib import contextmanager
from urllib.parse import unquote

import boto3.session

from edge.backends.aws.sending import Sender

ACCOUNT = "000000000000"  # of the stand-in
S3_ACTIONS = {
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "DeleteObjects": "DeleteObject",
}
# Who may call them needs no permission.
FREE = {("sts", "GetCallerIdentity")}


@contextmanager
def recorded(monkeypatch):
    """Record (service, operation, parameters) of every call by clients made inside the block.

    A request that boto3 does not send is recorded as the boto3 call it replaces.
    """
    calls = []

    class Recording(boto3.session.Session):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.events.register("provide-client-params", record)

    def record(params, model, context, **kwargs):
        if not context.get("is_presign_request"):  # made, and sent by nobody
            calls.append((model.service_model.service_name, model.name, dict(params)))

    put = Sender.put

    def record_put(self, key, headers, **kwargs):
        params = {"Bucket": self._bucket, "Key": key}
        bucket, _, source = unquote(headers.get("x-amz-copy-source", ""))[1:].partition("/")
        if source:
            params["CopySource"] = {"Bucket": bucket, "Key": source}
        calls.append(("s3", "CopyObject" if source else "PutObject", params))
        return put(self, key, headers, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(boto3.session, "Session", Recording)
        patch.setattr(Sender, "put", record_put)
        yield calls


def needs(service, operation, params, store):
    """Give the pairs of action and resource that a call needs.

    `store` is the ARN of the key-value store, which the control plane is asked for by its name.
    """
    if (service, operation) in FREE:
        return set()
    if service == "s3":
        return set(_s3(operation, params))
    resources = RESOURCES[service](params, store)
    return {(f"{service}:{operation}", resource) for resource in resources}


def _s3(operation, params):
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    action = f"s3:{S3_ACTIONS.get(operation, operation)}"
    if operation == "CopyObject":
        source = params["CopySource"]
        yield "s3:GetObject", f"arn:aws:s3:::{source['Bucket']}/{source['Key']}"
        yield "s3:PutObject", f"{bucket}/{params['Key']}"
    elif operation == "DeleteObjects":
        for item in params["Delete"]["Objects"]:
            yield action, f"{bucket}/{item['Key']}"
    elif "Key" in params:
        yield action, f"{bucket}/{params['Key']}"
        if operation in {"HeadObject", "GetObject"}:
            # Without it S3 answers 403 for what is missing.
            yield "s3:ListBucket", bucket
    else:
        yield action, bucket


def _cloudformation(params, store):
    name = params.get("StackName") or params["ChangeSetName"]
    if not name.startswith("arn:"):
        name = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/{name}/0a1b2c"
    return [name]


def _cloudfront(params, store):
    arn = f"arn:aws:cloudfront::{ACCOUNT}"
    distribution = params.get("DistributionId") or params.get("Id")
    if distribution:
        return [f"{arn}:distribution/{distribution}"]
    if set(params) == {"Name"}:
        return [store]
    return [f"{arn}:function/{params['Name']}"]


RESOURCES = {
    "cloudformation": _cloudformation,
    "cloudfront": _cloudfront,
    "cloudfront-keyvaluestore": lambda params, store: [params["KvsARN"]],
    "cloudwatch": lambda params, store: ["*"],
}
