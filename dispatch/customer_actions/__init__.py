"""What customers do to their job: one function for each action, each in one transaction.

The callers know who asks. Texts of refusals are in the active language.
"""
