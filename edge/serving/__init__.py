"""The local edge: a WSGI application in front of Django that answers as CloudFront would."""
