"""Audit objects: history that survives the loss of the database."""
