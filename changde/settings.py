"""Settings of the platform: everything from the environment, safe where nothing is said.

Without DATABASE_URL and REDIS_URL the private servers of changde.embedded are used; `manage.py` starts them.
The table of variables stands in README.md (Configuration).
"""

import base64
import hashlib
from datetime import timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from changde import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- production or not -------------------------------------------------------------------------------------
PRODUCTION = env.bool("CHANGDE_PRODUCTION", default=False)
DEBUG = env.bool("DEBUG", default=not PRODUCTION)
DEVELOPMENT_SECRET = "development-only-secret-never-for-real-households"  # noqa: S105 - refused in production
SECRET_KEY = env.str("SECRET_KEY", default=DEVELOPMENT_SECRET)
# Keys of personal fields: "id:base64 of 32 bytes", the first one encrypts, the others still decrypt.
FIELD_KEYS = env.list(
    "FIELD_KEYS",
    default=["dev1:" + base64.b64encode(hashlib.sha256(DEVELOPMENT_SECRET.encode()).digest()).decode()],
)
# Key of the blind index (HMAC-SHA-256 over the normalised number); changing it means re-indexing.
INDEX_KEY = env.str(
    "INDEX_KEY", default=base64.b64encode(hashlib.sha256(b"blind" + DEVELOPMENT_SECRET.encode()).digest()).decode()
)
if PRODUCTION:
    for name, is_default in {
        "SECRET_KEY": SECRET_KEY == DEVELOPMENT_SECRET or len(SECRET_KEY) < 40,
        "FIELD_KEYS": FIELD_KEYS[0].startswith("dev1:"),
        "INDEX_KEY": "INDEX_KEY" not in env.ENVIRON,
        "DEBUG": DEBUG,
    }.items():
        if is_default:
            raise ImproperlyConfigured(f"CHANGDE_PRODUCTION is set, but {name} still has a development value")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The address printed on posters and cards (QR codes), without a slash at the end.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000")

# --- data stores ---------------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("CHANGDE_DATA", default=str(BASE_DIR / ".data"))).resolve()
EMBEDDED = "DATABASE_URL" not in env.ENVIRON or "REDIS_URL" not in env.ENVIRON
_private = embedded.addresses(DATA_DIR) if EMBEDDED else None
_application = env.str("DATABASE_URL", default=_private.database_url if _private else "")
_owner = env.str(
    "MIGRATION_DATABASE_URL",
    default=_private.migration_database_url if _private and "DATABASE_URL" not in env.ENVIRON else _application,
)
REDIS_URL = env.str("REDIS_URL", default=_private.redis_url if _private else "")


def _database(url: str) -> dict:
    config = env.db_url_config(url)
    return config | {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        # Compiling a plan costs more than it saves here: the figures of a city took 9.0 s with it, 1.2 s without.
        "OPTIONS": config.get("OPTIONS", {}) | {"options": "-c jit=off"},
    }


# The application's role may not alter tables nor touch sealed rows; the owner migrates.
DATABASES = {"default": _database(_application), "owner": _database(_owner) | {"TEST": {"MIRROR": None}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(DATA_DIR / "media")))

# --- applications --------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "changde.bulk",
    "changde.measure",
    "changde.divisions",
    "changde.audit",
    "changde.accounts",
    "changde.jobs",
    "changde.web",
    "changde.api",
    "changde.embedded",
    "households",
    "cadres",
    "supervision",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "changde.accounts.middleware.AreaMiddleware",
    "changde.audit.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "changde.urls"
WSGI_APPLICATION = "changde.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "changde.web.context.frame",
            ],
            "builtins": ["django.templatetags.i18n", "changde.web.templatetags.web"],
        },
    }
]
FORM_RENDERER = "changde.web.forms.Renderer"

# --- people --------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:login"
SESSION_COOKIE_AGE = env.int("IDLE_LOGOUT_SECONDS", default=30 * 60)
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A township may sit behind one address: lock the pair of user and address, never the address alone.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- language and time ---------------------------------------------------------------------------------------
# Texts are written in Chinese at their place; English comes from locale/AREA/en (docs/adr/0004).
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文")), ("en", "English")]
LOCALE_PATHS = (
    sorted(path for path in (BASE_DIR / "locale").iterdir() if path.is_dir()) if (BASE_DIR / "locale").is_dir() else []
)
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

# --- static files --------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap", BASE_DIR / "node_modules/bootstrap/dist"),
    ("htmx", BASE_DIR / "node_modules/htmx.org/dist"),
    ("echarts", BASE_DIR / "node_modules/echarts/dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION

# --- uploads -------------------------------------------------------------------------------------------------
WORKBOOK_MAX_BYTES = env.int("WORKBOOK_MAX_BYTES", default=80 * 1024 * 1024)
EVIDENCE_MAX_BYTES = env.int("EVIDENCE_MAX_BYTES", default=12 * 1024 * 1024)
EVIDENCE_MAX_PHOTOS = env.int("EVIDENCE_MAX_PHOTOS", default=20)  # of one card in one year
PRINT_MAX_CARDS = env.int("PRINT_MAX_CARDS", default=1500)  # of one village in one file
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- workers -------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # the sweep of changde.jobs takes a lost job up again, with a count
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_TASK_SOFT_TIME_LIMIT = 25 * 60
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 2 * 60 * 60,  # above the hard limit, or a long task would run twice
    "max_retries": 1,  # of a publish: the sweep finds what it could not send
    "interval_start": 0,
    "interval_max": 0.1,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False  # a broker that is down must not hold a saved page up
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "sweep-lost-jobs": {"task": "changde.jobs.tasks.sweep", "schedule": 15},
    "recompute-stale": {"task": "households.tasks.recompute_stale", "schedule": crontab(hour=2, minute=30)},
    "index-versions": {"task": "households.tasks.put_index_versions_in_force", "schedule": crontab(minute=1)},
    "count-figures": {"task": "households.tasks.count_figures", "schedule": 20},
    "check-figures": {"task": "households.tasks.check_figures", "schedule": crontab(hour=4, minute=30)},
    "check-cards": {"task": "households.tasks.check_cards_nightly", "schedule": crontab(hour=1, minute=30)},
    # Before a working week: the comparisons of who types and of villages change slowly.
    "detect-leads": {"task": "households.tasks.detect_leads_weekly", "schedule": crontab(hour=3, day_of_week="sun")},
    "forget-old-drafts": {"task": "households.tasks.forget_old_drafts", "schedule": 3600},
    "forget-expired-exports": {"task": "households.tasks.forget_expired_exports", "schedule": 3600},
    "forget-printouts": {"task": "households.tasks.forget_printouts", "schedule": 3600},
    "keep-status-leads": {"task": "households.tasks.keep_status_leads", "schedule": crontab(hour=3, minute=30)},
    "learn-lead-weights": {"task": "households.tasks.learn_lead_weights", "schedule": crontab(hour=4, minute=30)},
    "compare-registers": {
        "task": "households.tasks.compare_registers_nightly",
        "schedule": crontab(hour=3, minute=10),
    },
    "find-duplicates": {"task": "households.tasks.find_duplicates", "schedule": crontab(hour=2, minute=40)},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# --- exports -------------------------------------------------------------------------------------------------
EXPORT_ROW_LIMIT = env.int("EXPORT_ROW_LIMIT", default=5000)  # households in one file: a township's worth

# --- REST ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "changde.api.authentication.ClientAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["changde.api.permissions.HoldsPost"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "changde.api.pagination.KeysetPagination",
    "PAGE_SIZE": 100,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "changde.api.errors.problem_details",
    "DEFAULT_THROTTLE_CLASSES": ["changde.api.throttles.ClientThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": env.str("API_RATE", default="1200/min")},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "常德市建档立卡 API / Changde file cards API",
    "DESCRIPTION": "County systems read divisions, cards, results and posted lists of their own area.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "changde.api.schema.name_errors",
    ],
}
OAUTH2_PROVIDER = {
    "SCOPES": {"read": "Read the area of the client's post"},
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",  # client credentials and no other grant
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,  # tokens are stored as checksums only
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,  # never in an address
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
}

# --- logs: no personal data, so no request bodies and no query strings ------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
