"""The peer's process: for each line of requests on stdin, the seconds in which django-ca issued for them, on stdout.

Runs in an environment of its own, with django-ca and without us:
`python issuing_django_ca.py DIRECTORY ecdsa|rsa delete|wal`. The last argument is the journal of its SQLite.
"""

import json
import sys
import time
import types
from contextlib import redirect_stdout
from pathlib import Path

import django
from cryptography import x509
from django.conf import settings
from django.core.management import call_command
from django.urls import include, path

_URLS = types.ModuleType("bench_urls")


def main(place: Path, kind: str, journal: str) -> None:
    """Set django-ca up with a new CA, then issue what is asked for."""
    storage = "django.core.files.storage.FileSystemStorage"
    settings.configure(
        SECRET_KEY="bench",  # noqa: S106 - it protects nothing
        USE_TZ=True,
        ROOT_URLCONF=_URLS.__name__,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_object_actions", "django_ca"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(place / "db.sqlite3"),
                "OPTIONS": {"init_command": f"PRAGMA journal_mode = {journal};"},
            }
        },
        STORAGES={
            "default": {"BACKEND": storage},
            "django-ca": {"BACKEND": storage, "OPTIONS": {"location": str(place / "files")}},
        },
        CA_USE_CELERY=False,
        CA_DEFAULT_HOSTNAME="ca.example",
    )
    django.setup()
    sys.modules[_URLS.__name__] = _URLS
    _URLS.urlpatterns = [path("django_ca/", include("django_ca.urls"))]  # type: ignore[attr-defined]
    key = ["--key-type=EC", "--elliptic-curve=secp256r1"] if kind == "ecdsa" else ["--key-type=RSA", "--key-size=4096"]
    with redirect_stdout(sys.stderr):
        call_command("migrate", verbosity=0)
        call_command("init_ca", "bench", "CN=ca.example", *key)
    _serve(journal)


def _serve(journal: str) -> None:
    from django.db import connection  # noqa: PLC0415 - after Django's set-up
    from django_ca.models import Certificate, CertificateAuthority  # noqa: PLC0415 - as above

    with connection.cursor() as cursor:
        found = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    # 2 is FULL: each commit is on disk when it returns, as ours is.
    if found != [journal, 2]:
        raise RuntimeError(f"the peer's database is not set up as it has to be: {found}")
    authority = CertificateAuthority.objects.get()
    options = authority.key_backend.get_use_private_key_options(authority, {})
    for line in sys.stdin:
        requests = [bytes.fromhex(each) for each in json.loads(line)]
        started = time.perf_counter()
        for each in requests:
            request = x509.load_der_x509_csr(each)
            Certificate.objects.create_cert(authority, options, request, subject=request.subject)
        print(time.perf_counter() - started, flush=True)


main(Path(sys.argv[1]), *sys.argv[2:])
