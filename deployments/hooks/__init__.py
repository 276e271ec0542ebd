"""Hooks: commands and addresses that are called at the moments of a deployment."""
