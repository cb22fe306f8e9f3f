"""The arena's own settings, made small and fast for tests."""

import os
from pathlib import Path
from tempfile import gettempdir

# Through the environment, so that a test which starts a process of its own can say otherwise.
FAST = {
    "SECRET_KEY": "only-for-tests",
    "TILTYARD_VAR": str(Path(gettempdir()) / f"tiltyard-tests-{os.getpid()}"),
    "REFIT_SECONDS": "0",
    "JOBS_SECONDS": "0",
    "RECORDED_CHARACTERS_PER_SECOND": "100000",
    "PROVIDER_CONNECT_SECONDS": "1",
    "PROVIDER_READ_SECONDS": "0.5",
    "PROVIDER_TOTAL_SECONDS": "5",
    "PROVIDER_RETRIES": "0",
    "AA_SHARE": "0",
    "VOTER_RATE": "0",
    "NETWORK_RATE": "0",
    "NETWORK_VOTE_RATE": "0",
    "NETWORK_SHARED_RATE": "0",
    "NETWORK_ASKED_RATE": "0",
    "NETWORK_FIGURES_RATE": "0",
    "VOTER_IMAGE_RATE": "0",
    "NETWORK_IMAGE_RATE": "0",
    "SIGN_IN_RATE": "0",
}
for name, value in FAST.items():
    os.environ.setdefault(name, value)
Path(os.environ["TILTYARD_VAR"]).mkdir(parents=True, exist_ok=True)

from arena.config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
