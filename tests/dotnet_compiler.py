"""Compiles a C# program: `python dotnet_compiler.py SOURCE OUT.dll DOTNET_ROOT`, with the Python of `.ci/run`."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

COMPILER = Path("/opt/dotnet-of-packages/@autorest/csharp")
IMPLICIT = (
    "System System.Collections.Generic System.IO System.Linq System.Net.Http System.Net.Http.Json System.Threading"
    " System.Threading.Tasks Microsoft.AspNetCore.Builder Microsoft.AspNetCore.Hosting Microsoft.AspNetCore.Http"
    " Microsoft.AspNetCore.Routing Microsoft.Extensions.Configuration Microsoft.Extensions.DependencyInjection"
    " Microsoft.Extensions.Hosting Microsoft.Extensions.Logging"
)
"""What a project of `dotnet new web` imports without saying so (Microsoft.NET.Sdk.Web, ImplicitUsings)."""


def main(source: Path, out: Path, root: Path) -> int:
    """Compile, print what the compiler finds, and fail on a warning too: nobody is to be given a program with one."""
    runtime = import_module("clr_loader").get_coreclr(runtime_config=root / "runtime.json", dotnet_root=root)
    import_module("pythonnet").load(runtime)
    sys.path.append(str(COMPILER))
    for each in ("Microsoft.CodeAnalysis", "Microsoft.CodeAnalysis.CSharp"):
        import_module("clr").AddReference(each)
    system, code = import_module("System"), import_module("Microsoft.CodeAnalysis")
    csharp, generic = import_module("Microsoft.CodeAnalysis.CSharp"), import_module("System.Collections.Generic")
    options = csharp.CSharpParseOptions(csharp.LanguageVersion.Preview)
    trees = generic.List[code.SyntaxTree]()
    for text in (source.read_text(), "".join(f"global using {each};\n" for each in IMPLICIT.split())):
        trees.Add(csharp.CSharpSyntaxTree.ParseText(text, options))
    references = generic.List[code.MetadataReference]()
    for path in root.glob("shared/*/*/*.dll"):
        if _managed(system, path):
            references.Add(code.MetadataReference.CreateFromFile(str(path)))
    kind = csharp.CSharpCompilationOptions(code.OutputKind.ConsoleApplication)
    stream = system.IO.File.Create(str(out))
    result = csharp.CSharpCompilation.Create(out.stem, trees, references, kind).Emit(stream)
    stream.Dispose()
    found = [each for each in result.Diagnostics if each.Severity != code.DiagnosticSeverity.Hidden]
    for each in found:
        print(each.ToString(), file=sys.stderr)  # noqa: T201 - a program of its own
    return int(not result.Success or bool(found))


def _managed(system: Any, path: Path) -> bool:
    try:
        system.Reflection.AssemblyName.GetAssemblyName(str(path))
    except system.BadImageFormatException:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
