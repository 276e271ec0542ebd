"""Retention: what is kept, what is marked, what is removed."""
