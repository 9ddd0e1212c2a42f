"""A real .NET 9 with ASP.NET Core, out of packages that `.ci/run` fetches: one program compiled, and ready to run."""

import json
import shutil
import subprocess
from pathlib import Path

_PLACE = Path("/opt/dotnet-of-packages")
_RUNTIME = _PLACE / "@azure/mcp-linux-x64/dist"
COMPILER = _PLACE / "python/bin/python"
"""Whether it is there says whether .NET is: it is fetched last."""
NO_LIBICU = {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
"""For the environment: without it .NET wants a library for the languages of the world."""

_NAME = "azmcp"
"""The program in whose place ours is put: its executable starts the assembly of this name that lies beside it."""
_FRAMEWORK = "Microsoft.NETCore.App"
_TARGET = ".NETCoreApp,Version=v9.0/linux-x64"
_SECONDS = 120


def compiled(source: Path, place: Path) -> Path:
    """Compile a program as `dotnet build` does in a project of `dotnet new web`; return its executable."""
    program = place / "dotnet-program"
    program.mkdir()
    subprocess.run(
        [COMPILER, Path(__file__).with_name("dotnet_compiler.py"), source, program / f"{_NAME}.dll", _root(place)],
        check=True,
        timeout=_SECONDS,
        env=NO_LIBICU,
    )
    for name in (_NAME, f"{_NAME}.runtimeconfig.json"):
        shutil.copy(_RUNTIME / name, program / name)
    _linked(program)
    (program / _NAME).chmod(0o700)
    return program / _NAME


def _root(place: Path) -> Path:
    """Lay the runtime's files out as an installation has them, for the compiler to be run by it."""
    root = place / "dotnet-root"
    version = json.loads((_RUNTIME / f"{_NAME}.runtimeconfig.json").read_text())["runtimeOptions"]
    [number] = {each["version"] for each in version["includedFrameworks"]}
    host, shared = root / "host/fxr" / number, root / "shared" / _FRAMEWORK / number
    for each in (host, shared):
        each.mkdir(parents=True)
    shutil.copy(_RUNTIME / "libhostfxr.so", host)
    _linked(shared)
    package = f"{_FRAMEWORK}/{number}"
    versions = {"assemblyVersion": "9.0.0.0", "fileVersion": "9.0.0.0"}
    files = {
        "runtime": {each.name: versions for each in shared.glob("*.dll")},
        "native": {each.name: {"fileVersion": "0.0.0.0"} for each in shared.glob("*.so")},  # noqa: S104 - no address
    }
    about = {
        "runtimeTarget": {"name": _TARGET},
        "targets": {_TARGET: {package: files}},
        "libraries": {package: {"type": "package", "serviceable": False, "sha512": ""}},
    }
    (shared / f"{_FRAMEWORK}.deps.json").write_text(json.dumps(about))
    framework = {"name": _FRAMEWORK, "version": number}
    (root / "runtime.json").write_text(json.dumps({"runtimeOptions": {"tfm": "net9.0", "framework": framework}}))
    return root


def _linked(place: Path) -> None:
    """Put the libraries of .NET into a folder, and none of those that the package's own program brings."""
    ours = ("Microsoft.", "System.", "lib", "mscorlib", "netstandard", "WindowsBase")
    for each in _RUNTIME.iterdir():
        if each.name.startswith(ours) and each.suffix in {".dll", ".so"}:
            # The one that looks for its neighbours where it really lies is a copy.
            (shutil.copy if each.name == "libhostpolicy.so" else _link)(each, place / each.name)


def _link(source: Path, to: Path) -> None:
    to.symlink_to(source)
