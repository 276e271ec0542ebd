"""The local edge: a WSGI application in front of Django that serves releases as CloudFront would."""
