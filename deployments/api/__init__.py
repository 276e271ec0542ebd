"""The deployment API: what CI may request with a token, without access to the database."""
