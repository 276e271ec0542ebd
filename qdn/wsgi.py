"""The WSGI application: the local edge in front of Django."""

import logging
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")

# Django must be set up before the edge's models can be imported.
_django = get_wsgi_application()

from edge.local_edge import in_front_of  # noqa: E402
from tracking.redaction import RedactTokens  # noqa: E402

# We cannot configure gunicorn's handlers, and it logs the path of a failed request.
logging.getLogger("gunicorn.error").addFilter(RedactTokens())

application = in_front_of(_django)
