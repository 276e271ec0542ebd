"""All settings. .env.example lists every variable that is read here."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.urls import reverse_lazy
from django.utils.translation import gettext_noop

from edge.behaviours import STRICT_TRANSPORT

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env", overwrite=False)

# For development only: with DEBUG off, no web server starts with it (qdn/checks.py).
DEVELOPMENT_KEY = "development-only-insecure-key"

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default=DEVELOPMENT_KEY)
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", ".localhost", "[::1]"])
# A branch `x` has its preview at x.PREVIEW_DOMAIN.
PREVIEW_DOMAIN = env.str(
    "PREVIEW_DOMAIN", default=f"preview.{urlsplit(SITE_URL).hostname or 'localhost'}"
).lower()
ALLOWED_HOSTS += [f".{PREVIEW_DOMAIN}"]  # the application's paths work on previews too
# How many proxies in front of the application append to X-Forwarded-For (edge/viewer_address.py).
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "qdn.lazy_admin.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "qdn",  # before staticfiles, whose runserver it replaces
    "django.contrib.staticfiles",
    "django_q",
    "phonenumber_field",
    "csp",
    "axes",
    "simple_history",
    "edge",
    "deployments",
    "builds",
    "dispatch",
    "tracking",
    "notifications",
    "crews",
    "office",
]

MIDDLEWARE = [
    "qdn.health.answer_probes",  # before Django looks at the Host header
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "qdn.unreadable_forms.refuse_unreadable_forms",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "qdn.content_policy.ContentPolicyMiddleware",
    "qdn.failures.AnswerFailures",
    "qdn.admin_input.RefuseUnusableInput",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
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
    with suppress(OSError):  # the first query says that the file cannot be opened
        DATA_DIR.mkdir(parents=True, exist_ok=True)  # SQLite creates the file, not its folder
    # IMMEDIATE: a transaction takes the write lock when it begins, so that a second one waits
    # instead of failing halfway. WAL: writing does not block readers.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # secure_delete: what is deleted is overwritten, as access notes must be.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON"
        ),
    }
else:
    # A server that vanished answers nothing, not even a refusal.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,  # seconds
        "tcp_user_timeout": 10_000,  # milliseconds
        **DATABASES["default"].get("OPTIONS", {}),
    }
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# How many seconds a request waits for another's lock; commands and tasks wait longer.
REQUEST_WAIT_SECONDS = env.float("REQUEST_WAIT_SECONDS", default=4)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Field histories are read by row, never by date.
SIMPLE_HISTORY_DATE_INDEX = False

# The firm, as shown on every page.
FIRM_NAME = "QuickDumpNow"
FIRM_PHONE = "+19075550100"
FIRM_AREA = gettext_noop("Fairbanks, North Pole and the Tanana Valley")

# Messages to customers. Without EMAIL_URL, or SMS_BACKEND, none are sent that way.
EMAIL_URL = env.str("EMAIL_URL", default="consolemail://" if DEBUG else "")
_EMAIL: dict[str, Any] = env.email_url_config(EMAIL_URL or "dummymail://")
if _EMAIL["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    _EMAIL["EMAIL_BACKEND"] = "notifications.channels.smtp.EmailBackend"
# Another back end of Django's, by its dotted name; it has settings of its own.
EMAIL_BACKEND_NAMED = env.str("EMAIL_BACKEND", default="")
if EMAIL_BACKEND_NAMED:
    _EMAIL["EMAIL_BACKEND"] = EMAIL_BACKEND_NAMED
vars().update(_EMAIL)
DEFAULT_FROM_EMAIL = env.str(
    "EMAIL_FROM", default=f"{FIRM_NAME} <bookings@{urlsplit(SITE_URL).hostname or 'localhost'}>"
)
EMAIL_TIMEOUT = 10  # seconds, for each answer of the server
SMS_BACKEND = env.str("SMS_BACKEND", default="console" if DEBUG else "")
# A number in E.164, or the SID of a messaging service.
SMS_FROM = env.str("SMS_FROM", default="")
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_URL = env.str("TWILIO_URL", default="https://api.twilio.com").rstrip("/")
# Text messages wait from and until these times of the firm's time zone.
SMS_QUIET_FROM = env.str("SMS_QUIET_FROM", default="21:00")
SMS_QUIET_UNTIL = env.str("SMS_QUIET_UNTIL", default="08:00")

# Bookings by the form; 0 removes the limit. Many households may share an address.
BOOKINGS_PER_ADDRESS_HOUR = env.int("BOOKINGS_PER_ADDRESS_HOUR", default=10)
BOOKINGS_PER_ADDRESS_DAY = env.int("BOOKINGS_PER_ADDRESS_DAY", default=20)
BOOKINGS_PER_PHONE_DAY = env.int("BOOKINGS_PER_PHONE_DAY", default=5)
# This many days after its job, a tracking link shows a receipt only, and then ends; 0 is never.
TRACKING_FULL_DAYS = env.int("TRACKING_FULL_DAYS", default=30)
TRACKING_RECEIPT_DAYS = env.int("TRACKING_RECEIPT_DAYS", default=180)
# Photos are deleted this many days after the job; 0 is never.
PHOTO_DAYS = env.int("PHOTO_DAYS", default=180)
# Dotted names of functions that admit viewers to photos besides staff: (request, job) -> bool.
PHOTO_VIEWERS = ["tracking.access.may_see_photos"]
# Dotted names of rules of "needs you" besides those of dispatch (dispatch/needs/table.py).
NEEDS_RULES = ["notifications.needs.TROUBLED"]

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
# The routing as last seen, for web processes that start while the database does not answer.
EDGE_SNAPSHOT_FILE = DATA_DIR / "edge-snapshot.json"
EDGE_REFRESH_SECONDS = 0.25  # maximum age of the local edge's view of the back end
EDGE_CACHE_BYTES = 64 * 1024 * 1024
# How long a switch waits for the edge to answer with the new release, in seconds.
EDGE_PROBE_SECONDS = env.float("EDGE_PROBE_SECONDS", default=30)
# How long an invalidation waits for CloudFront to accept more paths, in seconds.
EDGE_INVALIDATION_SECONDS = env.float("EDGE_INVALIDATION_SECONDS", default=900)

# Background tasks: the database is the broker, unless REDIS_URL names another.
REDIS_URL = env.str("REDIS_URL", default="")
# A Redis that does not answer must not hold up a booking.
_REDIS_LIMITS = ("&" if "?" in REDIS_URL else "?") + "socket_connect_timeout=2&socket_timeout=5"
# How long the hooks before a deployment may take together, and each attempt after it, in seconds.
HOOK_SECONDS = env.float("HOOK_SECONDS", default=30)
# Whether hooks may call addresses that are not public.
HOOKS_PRIVATE_ADDRESSES = env.bool("HOOKS_PRIVATE_ADDRESSES", default=False)
# Time limit of a deployment started in the admin or by the API: rehearse, hooks, probe, and wait
# for the lock and for CloudFront to accept invalidations.
OPERATION_SECONDS = int(2 * EDGE_PROBE_SECONDS + EDGE_INVALIDATION_SECONDS + HOOK_SECONDS) + 120
# Time limit of a build that a task carries out: its command may take an hour, and it may wait for
# its turn, and for the lock of the environment.
BUILD_SECONDS = 2 * 60 * 60
# A task that publishes documents hands the rest to the next one after this time, in seconds.
PUBLISH_SECONDS = env.int("PUBLISH_SECONDS", default=5)
# A task that sends messages does so too. Its limit interrupts a server that does not answer.
SEND_SECONDS = 5
SEND_LIMIT_SECONDS = 60
# `work` sends each queue a heartbeat this often, and replaces a cluster that has left one
# unfinished for the second time although it has a free worker, in seconds.
HEARTBEAT_SECONDS = env.float("HEARTBEAT_SECONDS", default=5)
STALLED_SECONDS = env.float("STALLED_SECONDS", default=15)
# The queues, each with a cluster of its own. The one named here takes everything that may wait,
# tasks queued before there were others, and schedules that name no queue. What is lost with a
# queue, the heartbeats find in the database and queue again (qdn/tasks/heartbeat.py).
Q_CLUSTER: dict[str, Any] = {
    "name": "quickdumpnow",
    "workers": 1,
    "timeout": 60,
    # Must exceed every timeout, or two workers run one task.
    "retry": OPERATION_SECONDS + 60,
    "max_attempts": 4,
    "catch_up": False,
    "save_limit": 500,
    "save_limit_per": "group",  # what runs every minute leaves the results of the daily tasks
    "poll": 1,
    "recycle": 1000,
    "queue_limit": 1,  # tasks taken in advance go down with a cluster
    "label": "Tasks",
    "ALT_CLUSTERS": {
        # The limit interrupts a document that the store does not take.
        "publishing": {"timeout": 2 * PUBLISH_SECONDS, "retry": 2 * PUBLISH_SECONDS + 60},
        "messages": {"timeout": SEND_LIMIT_SECONDS, "retry": SEND_LIMIT_SECONDS + 60},
        # Two, so that a long deployment to one environment does not hold up another's rollback.
        "deployments": {"workers": 2},
        # Two, so that one repository's build does not hold up another's.
        "builds": {"workers": 2, "timeout": BUILD_SECONDS, "retry": BUILD_SECONDS + 60},
    },
    **({"redis": REDIS_URL + _REDIS_LIMITS} if REDIS_URL else {"orm": "default"}),
}

# Retention keeps releases in use, those live in the last PRUNE_KEEP_DAYS, and the newest ones. A
# marked release is removed after PRUNE_WAIT_HOURS. PRUNE_SCHEDULED runs it every day.
PRUNE_KEEP_DAYS = env.int("PRUNE_KEEP_DAYS", default=30)
PRUNE_KEEP_NEWEST = env.int("PRUNE_KEEP_NEWEST", default=10)
PRUNE_WAIT_HOURS = env.int("PRUNE_WAIT_HOURS", default=24)
PRUNE_SCHEDULED = env.bool("PRUNE_SCHEDULED", default=False)

# After a promotion, and every hour in production: follow a change to the customer's page.
TRACKING_CHECKS = env.bool("TRACKING_CHECKS", default=True)

# A branch's preview is removed after this many days without a push, and the oldest one as soon as
# there are more than PREVIEWS_AT_MOST.
PREVIEW_DAYS = env.int("PREVIEW_DAYS", default=14)
PREVIEWS_AT_MOST = env.int("PREVIEWS_AT_MOST", default=50)

# How many of 100 views of a page report how long they took; built into the pages. 0 is none.
TIMINGS_PERCENT = env.float("TIMINGS_PERCENT", default=100)
# Reports are counted in memory and written this often, in seconds; 0 writes each at once.
TIMINGS_WRITE_SECONDS = 5

# Builds of commits (`manage.py build`). BUILD_ENVIRONMENT names the variables that a build gets
# besides its own; all others stay here. Only root can run builds as BUILD_USER.
BUILD_ENVIRONMENT = env.list("BUILD_ENVIRONMENT", default=[])
BUILD_USER = env.str("BUILD_USER", default="")
BUILD_DISK_MB = env.int("BUILD_DISK_MB", default=1024)
# Webhooks that start builds: their secret, and "owner/name=URL" of each repository to fetch.
BUILD_WEBHOOK_SECRET = env.str("BUILD_WEBHOOK_SECRET", default="")
BUILD_REPOSITORIES = {
    name.strip(): url.strip()
    for name, _, url in (pair.partition("=") for pair in env.list("BUILD_REPOSITORIES", default=[]))
}
BUILD_MIRRORS_DIR = DATA_DIR / "repositories"
# How long a webhook may fetch, in seconds.
BUILD_FETCH_SECONDS = 60
BUILD_LOG_BYTES = 5 * 1024 * 1024

# The page families that are built and deployed. `path` is the page's URL path, `template` its
# template, `context` the dotted name of a function that returns the template's context. `checks`
# are texts that a correct page contains; every release carries them as checks.json. `language` is
# the one to build it in, if not LANGUAGE_CODE.
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
    "home-es": {
        "path": "/es/",
        "template": "surfaces/home.html",
        "context": "tracking.surfaces.home_context",
        "language": "es",
        "checks": ["Reserve una recogida"],
    },
    "book-es": {
        "path": "/es/book/",
        "template": "surfaces/book.html",
        "context": "tracking.surfaces.book_context",
        "language": "es",
        "checks": ['action="/book/request/"', 'name="language" value="es"'],
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

# The customers' pages are in both, the office's in English (tracking/languages.py).
LANGUAGE_CODE = "en-us"
LANGUAGES = [("en", "English"), ("es", "Español")]
# All of ours, to come before other apps' texts for the same words.
LOCALE_PATHS = [BASE_DIR / name / "locale" for name in ("", "dispatch", "tracking", "crews")]
TIME_ZONE = env.str("TIME_ZONE", default="America/Anchorage")
USE_I18N = True
USE_TZ = True
PHONENUMBER_DEFAULT_REGION = "US"
PHONENUMBER_DEFAULT_FORMAT = "NATIONAL"

# The largest request body. The worker (qdn/gunicorn_worker.py) refuses larger ones before Django
# does, and docs/examples/nginx.conf before both.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# The largest request of the deployment API, which pushes archives (qdn/large_bodies.py).
API_UPLOAD_BYTES = 100 * 1024 * 1024
# The largest form with photos: six of 10 MB (dispatch/photos/intake.py), and the other fields.
PHOTO_FORM_BYTES = 61 * 1024 * 1024

LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")  # the theme's login page sends no `next`
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]

# The login's lock-out (qdn/lockout.py): after 5 wrong passwords for one name at one address, or 50
# at one address, no password is accepted there until a quarter of an hour after the last one.
AXES_FAILURE_LIMIT = 5
LOCKOUT_ADDRESS_FACTOR = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_HANDLER = "qdn.lockout.LockoutHandler"
AXES_CLIENT_IP_CALLABLE = "qdn.lockout.client_address"
AXES_LOCKOUT_CALLABLE = "qdn.lockout.locked_out"
# Attempts while locked out are neither recorded nor do they prolong it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # it keeps addresses of users for ever
AXES_ENABLE_ADMIN = False  # qdn/admin.py has a page in the theme
AXES_VERBOSE = False
# Not logged: people type passwords into the field for the name.
AXES_SENSITIVE_PARAMETERS = ["username", "csrfmiddlewaretoken"]

# Security. If SITE_URL is https, cookies are sent over TLS only.
SECURE = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
# The same number as in the edge's answers (edge/behaviours.py); Django sends it over https only.
SECURE_HSTS_SECONDS = int(STRICT_TRANSPORT[1].removeprefix("max-age=")) if SECURE else 0
SILENCED_SYSTEM_CHECKS = [
    # The proxy redirects http to https: most paths never reach Django.
    "security.W008",
    # Subdomains may be other systems of the firm, and browsers keep a preload for years.
    "security.W005",
    "security.W021",
]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SECURE else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # the icon is inline
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    },
}
# The admin's theme needs more below /admin/: Alpine makes functions of the attributes in its pages,
# and Alpine, htmx and the theme's colours are inline styles. No script is inline.
ADMIN_POLICY = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}

# The admin theme.


def _sidebar_link(title: str, icon: str, app: str, model: str, *, sees: str = "") -> dict[str, Any]:
    """Return a link to a model's list, shown to users who may view it, or the model `sees`."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{sees or model}"),
    }


def _may_see_hooks(request: Any) -> bool:
    """Whether a user may see the hooks of some environment."""
    from deployments.admin.permissions import may_deploy_somewhere  # noqa: PLC0415 - needs models

    return may_deploy_somewhere(request.user) or request.user.has_perm("deployments.view_hook")


def _theme_file(name: str, request: Any) -> str:
    """Return the URL of one of our additions to the admin's theme."""
    from django.templatetags.static import static  # noqa: PLC0415 - commands use no templates

    return static(f"deployments/{name}")


UNFOLD = {
    "SITE_TITLE": "QuickDumpNow",
    "SITE_HEADER": "QuickDumpNow",
    "SITE_SUBHEADER": "Dispatch",
    "SITE_SYMBOL": "local_shipping",
    "SITE_URL": "/dashboard/",
    "STYLES": [partial(_theme_file, "theme.css")],
    "SITE_FAVICONS": [{"rel": "icon", "href": partial(_theme_file, "icon.svg")}],
    "DASHBOARD_CALLBACK": "office.front_page.page.front_page",
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
                    _sidebar_link("Service windows", "event", "dispatch", "servicewindow"),
                    _sidebar_link("Services", "category", "dispatch", "servicetype"),
                    _sidebar_link("Service area", "map", "dispatch", "servedzip"),
                    _sidebar_link("Messages", "mail", "notifications", "message"),
                    _sidebar_link("Message texts", "edit_note", "notifications", "messagetemplate"),
                    {
                        "title": "Reports",
                        "icon": "bar_chart",
                        "link": reverse_lazy("office:reports"),
                        "permission": lambda request: request.user.has_perm(
                            "dispatch.view_reports"
                        ),
                    },
                ],
            },
            {
                "title": "Pages",
                "items": [
                    _sidebar_link("Environments", "dns", "deployments", "environment"),
                    _sidebar_link("Releases", "inventory_2", "deployments", "release"),
                    _sidebar_link(
                        "Previews", "science", "deployments", "branchpreview", sees="environment"
                    ),
                    _sidebar_link("Deployments", "history", "deployments", "deployment"),
                    {
                        **_sidebar_link("Builds", "construction", "builds", "build"),
                        "permission": lambda request: request.user.has_perm(
                            "deployments.view_release"
                        ),
                    },
                    {
                        **_sidebar_link(
                            "Tracking checks", "monitor_heart", "tracking", "trackingcheck"
                        ),
                        "permission": lambda request: request.user.has_perm(
                            "deployments.view_environment"
                        ),
                    },
                    _sidebar_link("Hooks", "webhook", "deployments", "hook")
                    | {"permission": _may_see_hooks},
                ],
            },
        ],
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {
        "redact_tokens": {"()": "tracking.redaction.RedactTokens"},
        "short_outages": {"()": "qdn.outages.ShortRedisOutages"},
    },
    # Every handler needs the filter: request paths contain tracking tokens.
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["short_outages", "redact_tokens"],
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
        # Logs three lines for every login; as warnings the wrong passwords, with the address.
        "axes": {"level": "WARNING"},
        # Logs a line for every task queued and done.
        "django-q": {"level": "WARNING"},
    },
}
