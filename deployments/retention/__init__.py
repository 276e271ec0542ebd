"""Retention: which releases are kept, marked and removed."""
