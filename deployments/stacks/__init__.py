"""Stacks: an environment's parts in AWS, made or adopted."""
