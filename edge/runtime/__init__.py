"""CloudFront's JavaScript runtime, for the local back end and for tests."""
