"""The AWS back end: S3, CloudFront and CloudFormation. The only package that imports boto3."""
