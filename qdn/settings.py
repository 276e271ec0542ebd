"""The one settings file. Every variable it reads stands in .env.example."""

from pathlib import Path
from typing import Any

import environ
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env", overwrite=False)

# For development machines only: the system check qdn.E001 refuses it where DEBUG is off.
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

# Database: SQLite beside the other data, or whatever DATABASE_URL names.
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATA_DIR.mkdir(parents=True, exist_ok=True)  # SQLite makes the file, not its folder
    # IMMEDIATE: a transaction that will write takes the write lock first, so two of them queue
    # up instead of failing half way. WAL: readers go on meanwhile.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The firm, as every page shows it.
FIRM_NAME = "QuickDumpNow"
FIRM_PHONE = "+19075550100"
FIRM_AREA = "Fairbanks, North Pole and the Tanana Valley"

# The edge: what meets a request before Django.
EDGE_BACKEND = env.str("EDGE_BACKEND", default="local")
EDGE_BUCKET = env.str("EDGE_BUCKET", default="")
# Of the aws back end: the store that routing documents stand in, by name.
EDGE_KEY_VALUE_STORE = env.str("EDGE_KEY_VALUE_STORE", default="quickdumpnow")
# Where the edge answers while DNS does not lead there: http(s)://host:port.
EDGE_VIEWER_URL = env.str("EDGE_VIEWER_URL", default="")
# Whether the local edge stands in front of the application with the aws back end too.
EDGE_LOCAL_VIEWER = env.bool("EDGE_LOCAL_VIEWER", default=False)
EDGE_STORE_DIR = DATA_DIR / "store"
EDGE_REFRESH_SECONDS = 0.25  # how old the local edge's view of the back end may be
EDGE_CACHE_BYTES = 64 * 1024 * 1024
# How long a switch waits until the edge answers with the new release, in seconds.
EDGE_PROBE_SECONDS = env.float("EDGE_PROBE_SECONDS", default=30)
# How long an invalidation waits while the distribution is at its limit, in seconds.
EDGE_INVALIDATION_SECONDS = env.float("EDGE_INVALIDATION_SECONDS", default=900)

# Background tasks: the database is the broker unless REDIS_URL names one.
REDIS_URL = env.str("REDIS_URL", default="")
# The longest the task of a deployment asked for in the admin may take: rehearse and probe, wait for
# the lock and for room to invalidate.
OPERATION_SECONDS = int(2 * EDGE_PROBE_SECONDS + EDGE_INVALIDATION_SECONDS) + 120
Q_CLUSTER = {
    "name": "quickdumpnow",
    "workers": 2,
    "timeout": 60,
    # Must exceed every timeout, or two workers run one task. What a dead worker left undone is seen
    # to earlier: publishing by its schedule, operations by whoever looks at them.
    "retry": OPERATION_SECONDS + 60,
    "max_attempts": 4,
    "catch_up": False,
    "save_limit": 500,
    "poll": 1,
    "recycle": 200,
    "label": "Tasks",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# Retention: releases that were live in the last days and the newest ones stay, besides those in
# use. What is marked waits for so many hours before it is removed. On its own every day, or not.
PRUNE_KEEP_DAYS = env.int("PRUNE_KEEP_DAYS", default=30)
PRUNE_KEEP_NEWEST = env.int("PRUNE_KEEP_NEWEST", default=10)
PRUNE_WAIT_HOURS = env.int("PRUNE_WAIT_HOURS", default=24)
PRUNE_SCHEDULED = env.bool("PRUNE_SCHEDULED", default=False)

# The page families that are built and deployed. `path` is where the page answers, `template`
# builds it, `context` names a function returning what the template shows.
# `checks` are texts without which a page is broken: they travel with every release as checks.json.
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
# The page shown for what does not exist: kept at one fixed key, so it carries its own style.
ERROR_PAGE_TEMPLATE = "surfaces/404.html"
# Static files the pages may refer to: everything under this prefix of the static finders.
SURFACE_ASSETS = "site/"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    # Media share bucket, credentials and endpoint with the edge; it leads nobody to media/.
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
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")  # the theme's own login page names no next one
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

# Security. Behind TLS (SITE_URL with https) cookies are sent over TLS only.
SECURE = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SECURE else []
CONTENT_SECURITY_POLICY = {
    # The admin theme evaluates expressions; customers' pages load from their own origin only.
    "EXCLUDE_URL_PREFIXES": ["/admin"],
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # the icon is written into the page
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    },
}

# The admin's look. A link shows to those who may open it.


def _sidebar_link(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    """Link a model's list for those who may view it."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


def _theme(request: Any) -> str:
    """Name the stylesheet of what the theme leaves out, by its hashed name where it has one."""
    from django.templatetags.static import static  # noqa: PLC0415 - commands need no templates

    return static("deployments/theme.css")


UNFOLD = {
    "SITE_TITLE": "QuickDumpNow",
    "SITE_HEADER": "QuickDumpNow",
    "SITE_SUBHEADER": "Dispatch",
    "SITE_SYMBOL": "local_shipping",
    "SITE_URL": "/dashboard/",
    "STYLES": [_theme],
    # Around the accent of the customers' pages (600), from light to dark.
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
    # Every handler gets the filter: tokens of tracking links stand in request paths.
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["redact_tokens"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # Instead of Django's own handlers, which know no filter; its mails would hold paths and
    # local variables.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # Says at every start where it found credentials and endpoints.
        "botocore": {"level": "WARNING"},
        # Says a line for every task queued and done.
        "django-q": {"level": "WARNING"},
    },
}
