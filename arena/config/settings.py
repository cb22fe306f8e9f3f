"""Settings of the arena: the only place that reads the environment.

Every variable is listed in docs/operations.md. Defaults are safe: debugging off, only
localhost served, SQLite and in-memory channels, one process.
"""

import os
from datetime import timedelta
from pathlib import Path

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

# Before NumPy is imported: in the small factorisations of a fit OpenBLAS's threads wait for each
# other, which doubles a publication's processor time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def envbool(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value not in {"", "0", "1", "false", "true", "no", "yes", "off", "on"}:
        raise ImproperlyConfigured(f"{name}={value!r} is not yes or no: use 1 or 0.")
    return value in {"1", "true", "yes", "on"} if value else default


def envnumber(name: str, default: float) -> float:
    value = os.environ.get(name, "").strip()
    try:
        return float(value) if value else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a number.") from error


def envrate(name: str, default: str) -> tuple[int, int] | None:
    """So many in so many seconds, from e.g. 600/minute; None for 0, which is no limit."""
    value = os.environ.get(name, "").strip() or default
    if value == "0":
        return None
    number, _, per = value.partition("/")
    seconds = {"second": 1, "minute": 60, "hour": 3600}.get(per)
    if not number.isdigit() or not int(number) or seconds is None:
        raise ImproperlyConfigured(f"{name}={value!r} is no rate: write e.g. 600/minute, or 0.")
    return int(number), seconds


def envchoice(name: str, *choices: str) -> str:
    """One of the choices; the first is the default."""
    value = os.environ.get(name, "").strip().lower() or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is none of {', '.join(choices)}.")
    return value


def envlist(name: str, default: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


def secret_key() -> str:
    """The key from SECRET_KEY, or from the file that SECRET_KEY_FILE names.

    With neither, a key that lives as long as this process: cookies and tokens signed with it
    end at a restart, and `core.W001` says so.
    """
    if key := os.environ.get("SECRET_KEY"):
        return key
    if path := os.environ.get("SECRET_KEY_FILE"):
        return Path(path).read_text().strip()
    return get_random_secret_key()


SECRET_KEY = secret_key()
SECRET_KEY_IS_TEMPORARY = not (os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE"))
DEBUG = envbool("DEBUG", False)
ALLOWED_HOSTS = envlist("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = envlist("TRUSTED_ORIGINS", "")
HTTPS = envbool("HTTPS", False)

# Everything the arena writes: database, segments, collected static files.
VAR_DIR = Path(os.environ.get("TILTYARD_VAR", BASE_DIR / "var")).resolve()
SEGMENTS_DIR = VAR_DIR / "segments"
TEXTS_DIR = VAR_DIR / "texts"
IMAGES_DIR = VAR_DIR / "images"
# The only folder whose files can be imported by naming them over the API.
IMPORT_DIR = Path(os.environ.get("IMPORT_DIR", VAR_DIR / "incoming")).resolve()
MEDIA_ROOT = VAR_DIR / "media"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "channels",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "arena.core",
    "arena.voters",
    "arena.catalog",
    "arena.battles",
    "arena.chats",
    "arena.integrity",
    "arena.leaderboard",
    "arena.reports",
    "arena.api",
    "arena.demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "arena.core.middleware.StaticFiles",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "arena.core.middleware.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "arena.voters.middleware.PrivateArena",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "arena.core.middleware.ArenaErrors",
]

ROOT_URLCONF = "arena.config.urls"
ASGI_APPLICATION = "arena.config.asgi.application"

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
                "arena.demo.context_processors.simulated",
            ],
        },
    },
]

# -- Where data lives ------------------------------------------------------------------------


def sqlite_options() -> dict[str, object]:
    """Writes queue instead of failing, and a committed vote survives a power cut."""
    return {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        ),
    }


def database() -> dict[str, object]:
    config = dict(
        dj_database_url.parse(
            os.environ.get("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'tiltyard.sqlite3'}"
        )
    )
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # SQLite makes the file and not its folder.
        Path(str(config["NAME"])).parent.mkdir(parents=True, exist_ok=True)
        config["OPTIONS"] = sqlite_options()
        # A file, because a test server's threads each open a connection of their own.
        config["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
    else:
        config["OPTIONS"] = {
            "pool": {"min_size": 1, "max_size": 16, "timeout": 10},
            # Statements that come again are planned once for each connection, which takes longer
            # than to carry them out.
            "server_side_binding": True,
            "prepare_threshold": 3,
        }
    return config


DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "")
if REDIS_URL:
    # Without `socket_timeout: None` a subscription that is silent for 5 s would be closed.
    REDIS_HOST = {"address": REDIS_URL, "socket_timeout": None, "socket_connect_timeout": 5}
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_HOST]},
        }
    }
    CACHES: dict[str, dict[str, object]] = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # A page and its figures for each contestant, some ten kilobytes each.
            "OPTIONS": {"MAX_ENTRIES": 3_000},
        }
    }
WEB_WORKERS = int(envnumber("WEB_CONCURRENCY", 1))

# -- Votes at rest ---------------------------------------------------------------------------


def durable(folder: Path) -> dict[str, object]:
    return {"BACKEND": "arena.core.storage.DurableStorage", "OPTIONS": {"location": folder}}


def bucket(name: str, folder: str) -> dict[str, object]:
    """An S3 bucket; credentials come from where boto3 looks for them."""
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "location": folder,
            "endpoint_url": os.environ.get("SEGMENTS_S3_ENDPOINT") or None,
            "region_name": os.environ.get("SEGMENTS_S3_REGION") or None,
            "default_acl": None,  # the bucket's policy decides who may read
            "file_overwrite": True,  # names are digests, or random
        },
    }


SEGMENTS_S3_BUCKET = os.environ.get("SEGMENTS_S3_BUCKET", "")
# With a bucket, SEGMENTS_DIR holds verified copies and is filled again where one is gone.
VOTE_STORAGES = {
    "segments": bucket(SEGMENTS_S3_BUCKET, "segments")
    if SEGMENTS_S3_BUCKET
    else durable(SEGMENTS_DIR),
    "texts": bucket(SEGMENTS_S3_BUCKET, "texts") if SEGMENTS_S3_BUCKET else durable(TEXTS_DIR),
    "images": bucket(SEGMENTS_S3_BUCKET, "images") if SEGMENTS_S3_BUCKET else durable(IMAGES_DIR),
}

# -- Static files ----------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "arena.core.storage.ModuleManifestStorage"},
    **VOTE_STORAGES,
}
WHITENOISE_ALLOW_ALL_ORIGINS = False

# -- Security --------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
LOGIN_URL = "voters:sign-in"
LOGIN_REDIRECT_URL = "battles:home"
LOGOUT_REDIRECT_URL = "battles:home"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
if envbool("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Whether images that answers name are fetched: their hosts then learn who reads what.
ANSWER_IMAGES = envbool("ANSWER_IMAGES", False)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *(["https:"] if ANSWER_IMAGES else [])],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# -- Admin API -------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["arena.api.authentication.Token"],
    "DEFAULT_PERMISSION_CLASSES": ["arena.api.permissions.TokenPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["arena.api.throttling.PerToken"],
    "DEFAULT_SCHEMA_CLASS": "arena.api.schema.Described",
    "DEFAULT_PARSER_CLASSES": ["arena.api.parsers.Json"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "arena.api.renderers.Forms",
    "EXCEPTION_HANDLER": "arena.api.problems.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
    # Not "format": the schema leaves such addresses out.
    "FORMAT_SUFFIX_KWARG": "form",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tiltyard admin API",
    "DESCRIPTION": "Boards, votes and how positions moved. For people: /api/v1/.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "arena.api.schema.with_problems",
    ],
}
# The largest body of any other request, in bytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
# Requests that one token may make: how many, in how many seconds.
API_RATE = envrate("API_RATE", "600/minute")
# The largest file of votes that the API takes, in bytes; others are imported from the folder.
IMPORT_MAX_BYTES = int(envnumber("IMPORT_MAX_BYTES", 4 << 30))
REST_KNOX = {"TOKEN_TTL": timedelta(days=90)}

# -- Language and time -----------------------------------------------------------------------

LANGUAGE_CODE = "en"
# Each in its own words, because who looks for theirs may read no other.
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["arena.core.formats"]
LANGUAGE_COOKIE_NAME = "__Host-tiltyard-language" if HTTPS else "tiltyard-language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# -- The arena itself ------------------------------------------------------------------------

# Sessions of voters: the signed cookie that carries the voter's key.
VOTER_COOKIE = "__Host-tiltyard-voter" if HTTPS else "tiltyard-voter"
VOTER_COOKIE_AGE = 365 * 24 * 3600
# After so many days `manage.py purge` erases texts of battles and hashes of networks; 0: never.
RETAIN_TEXT_DAYS = int(envnumber("RETAIN_TEXT_DAYS", 365))
RETAIN_NETWORK_DAYS = int(envnumber("RETAIN_NETWORK_DAYS", 30))
# Whom the privacy page says to ask, e.g. an address for mail.
OPERATOR_CONTACT = os.environ.get("OPERATOR_CONTACT", "")

PROMPT_MAX_CHARACTERS = int(envnumber("PROMPT_MAX_CHARACTERS", 20_000))
# The largest file of a picture that is taken, in bytes, and how many may go with one prompt.
IMAGE_MAX_BYTES = int(envnumber("IMAGE_MAX_BYTES", 10_000_000))
IMAGES_PER_PROMPT = int(envnumber("IMAGES_PER_PROMPT", 4))
# Of the pictures that a voter attached and never sent, so many are kept, and for a day.
IMAGES_UNSENT = 20
# How many unfinished battles one voter may have, and how often one turn may be tried.
BATTLES_AT_ONCE = int(envnumber("BATTLES_AT_ONCE", 3))
BATTLE_ATTEMPTS = int(envnumber("BATTLE_ATTEMPTS", 3))
# How often both sides of one battle may be asked, the first time included.
BATTLE_TURNS = int(envnumber("BATTLE_TURNS", 20))
# How many prompts one direct chat may hold.
CHAT_TURNS = int(envnumber("CHAT_TURNS", 50))
# Both sides at one rhythm, or each at its true speed.
PACING = envchoice("PACING", "equal", "native")
FRAME_SECONDS = 0.05
# How fast recorded answers are written, so that reading one feels like any other battle.
RECORDED_CHARACTERS_PER_SECOND = envnumber("RECORDED_CHARACTERS_PER_SECOND", 450)
PROVIDER_CONNECT_SECONDS = envnumber("PROVIDER_CONNECT_SECONDS", 5)
PROVIDER_READ_SECONDS = envnumber("PROVIDER_READ_SECONDS", 30)
PROVIDER_TOTAL_SECONDS = envnumber("PROVIDER_TOTAL_SECONDS", 180)
# How often an answer is asked for again before its first token.
PROVIDER_RETRIES = int(envnumber("PROVIDER_RETRIES", 2))
ANSWER_MAX_CHARACTERS = int(envnumber("ANSWER_MAX_CHARACTERS", 200_000))
# The largest file of recorded answers that is taken, in bytes.
ANSWERS_MAX_BYTES = int(envnumber("ANSWERS_MAX_BYTES", 64 << 20))

# -- Who meets whom --------------------------------------------------------------------------

# `adaptive` draws pairs by what one more vote on them would tell, `uniform` all alike.
SAMPLING = envchoice("SAMPLING", "adaptive", "uniform")
# The share of draws that is uniform over all eligible pairs whatever the weights say.
SAMPLING_FLOOR = envnumber("SAMPLING_FLOOR", 0.1)
# Whether two contestants of one family may meet.
SAME_FAMILY = envchoice("SAME_FAMILY", "allow", "forbid")
# The share of battles in which a served contestant meets itself; their votes never count.
AA_SHARE = envnumber("AA_SHARE", 0.01)
# So many failures in a row pause a revision, for so many seconds, twice as long each time.
BREAKER_FAILURES = int(envnumber("BREAKER_FAILURES", 3))
BREAKER_SECONDS = envnumber("BREAKER_SECONDS", 60)

# -- Categories ------------------------------------------------------------------------------

# An endpoint of the OpenAI form, up to and including /v1, that says after the vote which criteria
# of a demanding prompt a prompt meets; empty: nobody is asked, and no vote is in these categories.
JUDGE_URL = os.environ.get("JUDGE_URL", "")
JUDGE_MODEL = os.environ.get("JUDGE_MODEL", "")
JUDGE_KEY_ENV = os.environ.get("JUDGE_KEY_ENV", "")

# -- Against abuse ---------------------------------------------------------------------------

# Battles that one voter, and all voters of one network together, may begin; 0: any number.
VOTER_RATE = envrate("VOTER_RATE", "120/hour")
NETWORK_RATE = envrate("NETWORK_RATE", "1200/hour")
# Pictures that one voter, and all voters of one network together, may attach.
VOTER_IMAGE_RATE = envrate("VOTER_IMAGE_RATE", "60/hour")
NETWORK_IMAGE_RATE = envrate("NETWORK_IMAGE_RATE", "600/hour")
# Votes that may be posted from one network.
NETWORK_VOTE_RATE = envrate("NETWORK_VOTE_RATE", "6000/hour")
# Pages of shared battles that may be opened from one network.
NETWORK_SHARED_RATE = envrate("NETWORK_SHARED_RATE", "120/minute")
# Charts of pages that may be drawn for one network; a page has up to a dozen.
NETWORK_FIGURES_RATE = envrate("NETWORK_FIGURES_RATE", "240/minute")
# Ledgers and the like that may be asked for from one network, and how many may wait in all.
NETWORK_ASKED_RATE = envrate("NETWORK_ASKED_RATE", "60/hour")
ASKED_WAITING = int(envnumber("ASKED_WAITING", 5))
# Attempts at signing in that may fail from one network.
SIGN_IN_RATE = envrate("SIGN_IN_RATE", "60/hour")
# Proxies in front of this process that add to X-Forwarded-For; 0 believes nobody's header.
TRUSTED_PROXIES = int(envnumber("TRUSTED_PROXIES", 0))
# Hashes of networks are keyed; a new key is made after so many days.
NETWORK_KEY_DAYS = envnumber("NETWORK_KEY_DAYS", 7)
# A proof of work before each battle.
ALTCHA = envbool("ALTCHA", False)
ALTCHA_COST = int(envnumber("ALTCHA_COST", 5_000))
# Whether visitors must sign in to see or do anything.
PRIVATE = envbool("PRIVATE", False)
# An endpoint of the OpenAI form, up to and including /v1, that is asked about each prompt.
MODERATION_URL = os.environ.get("MODERATION_URL", "")
MODERATION_MODEL = os.environ.get("MODERATION_MODEL", "")
MODERATION_KEY_ENV = os.environ.get("MODERATION_KEY_ENV", "")
# What happens to prompts while it does not answer: `closed` refuses them, `open` lets them pass.
MODERATION_FAIL = envchoice("MODERATION_FAIL", "closed", "open")

# Refit within the web process every so many seconds when votes have come in; 0 leaves it to
# a separate `manage.py refit --watch`, which is what several web processes need.
REFIT_SECONDS = envnumber("REFIT_SECONDS", 0 if REDIS_URL else 20)
# Whoever refits also publishes, at most every so many seconds; 0 leaves it to `manage.py publish`.
PUBLISH_SECONDS = envnumber("PUBLISH_SECONDS", 0)
# Run jobs that were asked for over the API within the web process, looking every so many
# seconds; 0 leaves it to a separate `manage.py run_jobs --watch`.
JOBS_SECONDS = envnumber("JOBS_SECONDS", 0 if REDIS_URL else 1)
# Where a statement on each publication goes, so that rewriting all of them is noticed.
HEAD_FILE = os.environ.get("HEAD_FILE", "")
HEAD_WEBHOOK = os.environ.get("HEAD_WEBHOOK", "")
HEAD_KEY_FILE = os.environ.get("HEAD_KEY_FILE", "")
# Whether the archive hands out the votes of publications.
ARCHIVE_VOTES = envbool("ARCHIVE_VOTES", True)
# Whether prompts and answers may leave the arena, by archive and API.
PUBLISH_TEXT = envbool("PUBLISH_TEXT", False)
# Whether pages tell remote names, decoding settings and system prompts; endpoints they never tell.
PUBLISH_SERVED = envbool("PUBLISH_SERVED", True)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"arena": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
