"""Webhooks in GitHub's format: a push there starts a build here."""
