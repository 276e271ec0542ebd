"""The job registry: written for the loss of the database, taken over from the former system.

A registry is one JSON object with a job's id as the key of each row. Two forms have the same
fields: the private one in the object store has `token_sha256` where the former system has `token`.
"""
