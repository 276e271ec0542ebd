"""The local edge: WSGI middleware in front of Django that answers as CloudFront does."""
