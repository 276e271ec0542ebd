"""The WSGI application: the local edge in front of Django."""

import logging
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")

from qdn.checks import refuse_unsafe_settings

refuse_unsafe_settings()

# Django must be set up before the edge's models can be imported.
_django = get_wsgi_application()

from django.conf import settings  # noqa: E402

from edge.local_edge import in_front_of  # noqa: E402
from qdn.waiting import wait_at_most  # noqa: E402
from tracking.redaction import RedactTokens  # noqa: E402

# We cannot configure gunicorn's handlers, and it logs the path of a failed request.
logging.getLogger("gunicorn.error").addFilter(RedactTokens())

wait_at_most(seconds=settings.REQUEST_WAIT_SECONDS)

application = in_front_of(_django)
