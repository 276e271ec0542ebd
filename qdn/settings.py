"""All settings. .env.example lists every variable that is read here."""

from pathlib import Path
from typing import Any

import environ
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env", overwrite=False)

# For development only: with DEBUG off, the system check qdn.E001 rejects it.
DEVELOPMENT_KEY = "development-only-insecure-key"

DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = env.str("SECRET_KEY", default=DEVELOPMENT_KEY)
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", ".localhost", "[::1]"])
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "qdn.lazy_admin.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_q",
    "phonenumber_field",
    "csp",
    "edge",
    "deployments",
    "dispatch",
    "tracking",
    "qdn",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "qdn.urls"
WSGI_APPLICATION = "qdn.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database: SQLite in DATA_DIR, unless DATABASE_URL names another.
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATA_DIR.mkdir(parents=True, exist_ok=True)  # SQLite creates the file, not its folder
    # IMMEDIATE: a transaction takes the write lock when it begins, so that a second one waits
    # instead of failing halfway. WAL: writing does not block readers.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The firm, as shown on every page.
FIRM_NAME = "QuickDumpNow"
FIRM_PHONE = "+19075550100"
FIRM_AREA = "Fairbanks, North Pole and the Tanana Valley"

# The edge, which receives every request before Django.
EDGE_BACKEND = env.str("EDGE_BACKEND", default="local")
EDGE_BUCKET = env.str("EDGE_BUCKET", default="")
# The name of the key-value store with the routing documents (aws back end).
EDGE_KEY_VALUE_STORE = env.str("EDGE_KEY_VALUE_STORE", default="quickdumpnow")
# Where the edge answers if DNS does not point to it yet: http(s)://host:port.
EDGE_VIEWER_URL = env.str("EDGE_VIEWER_URL", default="")
# Whether to run the local edge in front of the application with the aws back end too.
EDGE_LOCAL_VIEWER = env.bool("EDGE_LOCAL_VIEWER", default=False)
EDGE_STORE_DIR = DATA_DIR / "store"
EDGE_REFRESH_SECONDS = 0.25  # maximum age of the local edge's view of the back end
EDGE_CACHE_BYTES = 64 * 1024 * 1024
# How long a switch waits for the edge to answer with the new release, in seconds.
EDGE_PROBE_SECONDS = env.float("EDGE_PROBE_SECONDS", default=30)
# How long an invalidation waits for CloudFront to accept more paths, in seconds.
EDGE_INVALIDATION_SECONDS = env.float("EDGE_INVALIDATION_SECONDS", default=900)

# Background tasks: the database is the broker, unless REDIS_URL names another.
REDIS_URL = env.str("REDIS_URL", default="")
# Time limit of a deployment started in the admin: rehearse, probe, and wait for the lock and for
# CloudFront to accept invalidations.
OPERATION_SECONDS = int(2 * EDGE_PROBE_SECONDS + EDGE_INVALIDATION_SECONDS) + 120
Q_CLUSTER = {
    "name": "quickdumpnow",
    "workers": 2,
    "timeout": 60,
    # Must exceed every timeout, or two workers run one task. Work that a dead worker left is picked
    # up earlier: publishing by its schedule, operations when their page is opened.
    "retry": OPERATION_SECONDS + 60,
    "max_attempts": 4,
    "catch_up": False,
    "save_limit": 500,
    "poll": 1,
    "recycle": 200,
    "label": "Tasks",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# Retention keeps releases in use, those live in the last PRUNE_KEEP_DAYS, and the newest ones. A
# marked release is removed after PRUNE_WAIT_HOURS. PRUNE_SCHEDULED runs it every day.
PRUNE_KEEP_DAYS = env.int("PRUNE_KEEP_DAYS", default=30)
PRUNE_KEEP_NEWEST = env.int("PRUNE_KEEP_NEWEST", default=10)
PRUNE_WAIT_HOURS = env.int("PRUNE_WAIT_HOURS", default=24)
PRUNE_SCHEDULED = env.bool("PRUNE_SCHEDULED", default=False)

# The page families that are built and deployed. `path` is the page's URL path, `template` its
# template, `context` the dotted name of a function that returns the template's context. `checks`
# are texts that a correct page contains; every release carries them as checks.json.
SURFACES: dict[str, dict[str, Any]] = {
    "home": {
        "path": "/",
        "template": "surfaces/home.html",
        "context": "tracking.surfaces.home_context",
        "checks": ["Book a pickup"],
    },
    "book": {
        "path": "/book/",
        "template": "surfaces/book.html",
        "context": "tracking.surfaces.book_context",
        "checks": ['action="/book/request/"'],
    },
    "track": {
        "path": "/track/",
        "template": "surfaces/track.html",
        "context": "tracking.surfaces.track_context",
        "checks": ["Follow your job"],
    },
    "dashboard": {
        "path": "/dashboard/",
        "template": "surfaces/dashboard.html",
        "context": "tracking.surfaces.dashboard_context",
        "checks": ['id="board"'],
    },
}
# The 404 page. It has one fixed key, so its style is inline.
ERROR_PAGE_TEMPLATE = "surfaces/404.html"
# Static files that pages may refer to have this prefix in the static finders.
SURFACE_ASSETS = "site/"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    # Media share the edge's bucket, credentials and endpoint; the edge does not serve media/.
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": EDGE_BUCKET, "location": "media", "file_overwrite": False},
    }
    if EDGE_BACKEND == "aws"
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="America/Anchorage")
USE_I18N = True
USE_TZ = True
PHONENUMBER_DEFAULT_REGION = "US"
PHONENUMBER_DEFAULT_FORMAT = "NATIONAL"

LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")  # the theme's login page sends no `next`
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

# Security. If SITE_URL is https, cookies are sent over TLS only.
SECURE = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SECURE else []
CONTENT_SECURITY_POLICY = {
    # The admin theme needs eval; customers' pages load from their own origin only.
    "EXCLUDE_URL_PREFIXES": ["/admin"],
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # the icon is inline
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    },
}

# The admin theme.


def _sidebar_link(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    """Return a link to a model's list, shown to users who may view it."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


def _theme(request: Any) -> str:
    """Return the URL of our additions to the theme's styles."""
    from django.templatetags.static import static  # noqa: PLC0415 - commands use no templates

    return static("deployments/theme.css")


UNFOLD = {
    "SITE_TITLE": "QuickDumpNow",
    "SITE_HEADER": "QuickDumpNow",
    "SITE_SUBHEADER": "Dispatch",
    "SITE_SYMBOL": "local_shipping",
    "SITE_URL": "/dashboard/",
    "STYLES": [_theme],
    # Shades of the customer pages' accent colour, which is 600.
    "COLORS": {
        "primary": {
            "50": "#fdf3ec",
            "100": "#fbe3d3",
            "200": "#f6c3a3",
            "300": "#f0a077",
            "400": "#ea7f4c",
            "500": "#d4551f",
            "600": "#b8410f",
            "700": "#98350c",
            "800": "#7a2c0d",
            "900": "#62260e",
            "950": "#351205",
        }
    },
    "SIDEBAR": {
        "show_all_applications": True,
        "navigation": [
            {
                "title": "Dispatch",
                "items": [
                    {"title": "Board", "icon": "view_kanban", "link": "/dashboard/"},
                    _sidebar_link("Jobs", "assignment", "dispatch", "job"),
                    _sidebar_link("Customers", "person", "dispatch", "customer"),
                    _sidebar_link("Crews", "local_shipping", "dispatch", "crew"),
                    _sidebar_link("Services", "category", "dispatch", "servicetype"),
                ],
            },
            {
                "title": "Pages",
                "items": [
                    _sidebar_link("Environments", "dns", "deployments", "environment"),
                    _sidebar_link("Releases", "inventory_2", "deployments", "release"),
                    _sidebar_link("Deployments", "history", "deployments", "deployment"),
                ],
            },
        ],
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"redact_tokens": {"()": "tracking.redaction.RedactTokens"}},
    # Every handler needs the filter: request paths contain tracking tokens.
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["redact_tokens"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # Replaces Django's handlers, which have no filter; its mails would contain request paths and
    # local variables.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # Logs at every start where it found credentials and endpoints.
        "botocore": {"level": "WARNING"},
        # Logs a line for every task queued and done.
        "django-q": {"level": "WARNING"},
    },
}
