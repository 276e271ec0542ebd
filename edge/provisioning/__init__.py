"""CloudFormation templates and IAM policies of an environment."""
