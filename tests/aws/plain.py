"""What somebody outside the project sees: plain boto3, none of our code."""

from functools import cached_property

import boto3

from tests.aws.stand_in import BUCKET, STORE


class PlainBoto:
    """AWS as boto3 shows it."""

    def __init__(self):
        session = boto3.session.Session()
        self.s3 = session.client("s3")
        self.cloudfront = session.client("cloudfront")
        self.keyvalues = session.client("cloudfront-keyvaluestore")

    @cached_property
    def arn(self):
        found = self.cloudfront.describe_key_value_store(Name=STORE)
        return found["KeyValueStore"]["ARN"]

    def create_places(self):
        """Make what `provision` would: the bucket and the store."""
        self.s3.create_bucket(Bucket=BUCKET)
        self.cloudfront.create_key_value_store(Name=STORE)

    def create_distribution(self, name):
        """Make a distribution; give its id."""
        answer = self.cloudfront.create_distribution(
            DistributionConfig={
                "CallerReference": name,
                "Comment": name,
                "Enabled": True,
                "Origins": {
                    "Quantity": 1,
                    "Items": [
                        {
                            "Id": "bucket",
                            "DomainName": f"{BUCKET}.s3.amazonaws.com",
                            "S3OriginConfig": {"OriginAccessIdentity": ""},
                        }
                    ],
                },
                "DefaultCacheBehavior": {
                    "TargetOriginId": "bucket",
                    "ViewerProtocolPolicy": "redirect-to-https",
                },
            }
        )
        return answer["Distribution"]["Id"]

    def head(self, key):
        return self.s3.head_object(Bucket=BUCKET, Key=key)

    def keys(self, prefix=""):
        answer = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for item in answer.get("Contents", [])]

    def values(self):
        answer = self.keyvalues.list_keys(KvsARN=self.arn, MaxResults=50)
        return {item["Key"]: item["Value"] for item in answer["Items"]}

    def live_function(self, name):
        answer = self.cloudfront.get_function(Name=name, Stage="LIVE")
        return answer["FunctionCode"].read().decode()
