"""Container images that are built for real, without a registry: on Debian's packages in place of the image they name.

`python:3.13-slim` is Debian 13 with a Python 3.13, so Debian 13's own packages stand for it, under its name. They
are in a directory, and the machine's own images are not touched.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 900
PROGRAMS = ("buildah", "mmdebstrap", "runc", "ip", "nsenter", "systemd-analyze")
"""What is run here, and in `pods.py`."""
_SUITE = "trixie"
_PACKAGES = "ca-certificates,netbase,python3,python3-venv,tzdata"
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
_TRUST = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Images:
    """The images in a directory; all commands of `buildah` go there."""

    place: Path

    def buildah(self, *arguments: object) -> str:
        """Run a command, and return what it printed."""
        storage = ("--root", self.place / "images", "--runroot", self.place / "run", "--storage-driver", "vfs")
        command = ["buildah", *map(str, storage), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        assert done.returncode == 0, f"{arguments}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout.strip()

    @classmethod
    @contextmanager
    def in_place(cls, place: Path) -> Iterator["Images"]:
        """Yield a place for images; at the end nothing is left of it."""
        made = cls(place)
        try:
            yield made
        finally:
            made.buildah("rm", "--all")
            shutil.rmtree(place)

    def base(self, name: str) -> None:
        """Make what stands for Python's image."""
        archive = self.place / "base.tar"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(archive)]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
        made = self.buildah("from", "scratch")
        self.buildah("add", "--quiet", made, archive, "/")
        archive.unlink()
        with self._mounted(made) as root:
            for each in ("python3", "python"):
                (root / "usr/local/bin" / each).symlink_to("/usr/bin/python3")
        self.buildah("config", "--env", f"PATH={_PATH}", "--cmd", "python3", made)
        self.buildah("commit", "--quiet", "--rm", made, name)

    def build(self, file: Path, context: Path, name: str, *more: object) -> dict[str, Any]:
        """Build what a container file says, and return how the image is configured.

        The machine's own trust is lent to the build, and is not in the image.
        """
        lent = ("--volume", f"{_TRUST}:{_TRUST}:ro") if Path(_TRUST).exists() else ()
        self.buildah("build", "--isolation", "chroot", "--pull-never", *lent, *more, "-f", file, "-t", name, context)
        said = json.loads(self.buildah("inspect", "--type", "image", name))
        configured: dict[str, Any] = said["OCIv1"]["config"]
        return configured

    @contextmanager
    def root(self, name: str) -> Iterator[Path]:
        """Yield the file system of a container of this image."""
        with self._mounted(self.buildah("from", "--pull-never", name)) as root:
            yield root

    @contextmanager
    def _mounted(self, container: str) -> Iterator[Path]:
        yield Path(self.buildah("mount", container))
        self.buildah("umount", container)
