"""The two servers to compare: both serve the same bytes in front of the same Django application."""

import os
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")

from django.core.wsgi import get_wsgi_application
from whitenoise import WhiteNoise

_django = get_wsgi_application()

from edge.local_edge import in_front_of  # noqa: E402

edge = in_front_of(_django)
whitenoise = WhiteNoise(_django, root=Path(os.environ["DATA_DIR"]) / "plain", max_age=5)
