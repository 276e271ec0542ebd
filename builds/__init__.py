"""Builds: a commit of a repository becomes a release, with a log."""
