"""Stacks: an environment's resources in AWS, created or adopted."""
