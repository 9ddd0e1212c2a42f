"""The sentences that the hub says, with a place for each thing that is put in: read from where the code says them."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, product
from pathlib import Path

from bothways.texts.sentences import PLACE

_PACKAGE = Path(__file__).parent.parent
_SAYING = (
    "files.py", "bundle", "connectivity", "contract", "dataplane", "operations", "outbound", "pki", "registry",
    "signer", "store", "verification", "web/explained.py", "web/malformed.py", "web/pages", "web/problem.py", "xds",
)  # fmt: skip
"""What finds, refuses and records, and so has words that pages show."""

_QUIET = (
    # Statements of databases, and names in the lines of the audit.
    "store/append_only.py", "store/audit_actions.py", "store/audit_customer.py", "store/copies.py", "store/fleet.py",
    "store/postgresql.py", "store/revisions", "store/sqlite.py", "store/touched.py", "store/trigger.py",
    # Commands to paste, and what stands in Envoy's configuration: the same in every language.
    "contract/recipe.py", "xds/access_log.py", "xds/client_cert.py", "web/pages/recipes.py", "web/pages/drawing.py",
    # What is said at the machine of the hub or of a node alone, before there is a page.
    "operations/backup.py", "operations/node_settings.py", "operations/restore.py", "operations/settings.py",
    "operations/settings_values.py", "store/transfer.py",
)  # fmt: skip

_UNSAID = re.compile(r"worded|text|cast|re\.compile|_log\.\w+")
"""Calls whose texts are no sentences of the hub: texts of pages, statements, types, patterns, lines of the log."""

Part = str | ast.expr
"""A piece of a sentence: its own text, or what is put in."""

_FORMS_MOST = 64
_CODE = re.compile(r"""[\n<>|]|==|'none'|=\(\)|="|", "|=\d|\bPRAGMA\b""")
"""What no sentence has, and programs, statements, headers and conditions have."""


def said_sentences() -> tuple[str, ...]:
    """Return every sentence, in order; of those that differ in the names of their places alone, the first."""
    quiet = {_PACKAGE / each for each in _QUIET}
    found: set[str] = set()
    for saying in (_PACKAGE / each for each in _SAYING):
        for source in [saying] if saying.is_file() else saying.rglob("*.py"):
            if not quiet & {source, *source.parents}:
                found.update(sentences(source.read_text(encoding="utf-8")))
    alike = {PLACE.sub("{}", each): each for each in sorted(found, reverse=True)}
    return tuple(sorted(alike.values()))


def sentences(source: str) -> Iterator[str]:
    """Yield the sentences that a module says, in each of their forms. Raises `ValueError` if one has too many."""
    module = ast.parse(source)
    for node in _texts(module):
        for parts in _forms(node):
            if _is_prose(parts):
                yield _with_places(parts)
    yield from _kinds(module)


def _texts(node: ast.AST) -> Iterator[ast.expr]:
    """Yield each text of the code, and those within what is put into one."""
    if isinstance(node, ast.Call) and _UNSAID.fullmatch(ast.unparse(node.func)):
        return
    inner: Iterable[ast.AST]
    if isinstance(node, ast.expr) and _is_text(node):
        yield node
        inner = [part for parts in _forms(node) for part in parts if isinstance(part, ast.expr)]
    else:
        # A docstring is no sentence that anybody is told, and neither is a type that stands in quotes.
        fields = [value for name, value in ast.iter_fields(node) if name not in {"annotation", "returns"}]
        inner = [each for value in fields for each in (value if isinstance(value, list) else [value])]
        inner = [each for each in inner if isinstance(each, ast.AST) and not _is_docstring(each)]
    for each in inner:
        yield from _texts(each)


def _kinds(module: ast.Module) -> Iterator[str]:
    """Yield the single words of enumerations: states, steps and roles are put into sentences."""
    for made in module.body:
        if isinstance(made, ast.ClassDef) and any(_name(base) == "strenum" for base in made.bases):
            for part in made.body:
                match part:
                    case ast.Assign(value=ast.Constant(value=str(word))) if word.isalpha() and word.islower():
                        yield word


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add) and (_is_text(node.left) or _is_text(node.right))
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _forms(node: ast.expr) -> list[tuple[Part, ...]]:
    """Return what a text may be: `"a" if b else "c"` within it makes two of it."""
    match node:
        case ast.Constant(value=str(text)):
            forms: list[tuple[Part, ...]] = [(text,)]
        case ast.JoinedStr(values=values):
            forms = _one_after_the_other(values)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            forms = _one_after_the_other([left, right])
        case ast.FormattedValue(value=value, format_spec=None, conversion=-1):
            forms = _forms(value)
        case ast.FormattedValue(value=value):
            forms = [(value,)]
        case ast.IfExp(body=body, orelse=orelse):
            forms = [*_forms(body), *_forms(orelse)]
        case ast.BoolOp(op=ast.Or(), values=values):
            forms = [form for each in values for form in _forms(each)]
        case _:
            forms = [(node,)]
    return forms


def _one_after_the_other(nodes: Sequence[ast.expr]) -> list[tuple[Part, ...]]:
    forms = [tuple(chain.from_iterable(each)) for each in product(*map(_forms, nodes))]
    if len(forms) > _FORMS_MOST:
        raise ValueError(f"line {nodes[0].lineno} has {len(forms)} forms of one sentence; say several sentences there")
    return forms


def _is_prose(parts: tuple[Part, ...]) -> bool:
    """Tell whether this is a text for people: of its words one begins small, and it does not stand alone."""
    text = "\0".join(each if isinstance(each, str) else "" for each in parts)
    words = re.findall(r"[A-Za-z]{2,}", text)
    small = [each for each in words if each[0].islower() and each != "section"]
    alone = len(words) == 1 and len(parts) == 1
    return bool(small) and " " in text.strip() and not alone and not _CODE.search(text)


def _with_places(parts: tuple[Part, ...]) -> str:
    """Return the sentence with a place, named as in the code, for each thing that is put in."""
    often: Counter[str] = Counter()
    said = ""
    for part in parts:
        if isinstance(part, str):
            said += part
            continue
        name = _name(part)
        often[name] += 1
        said += f"{{{name}{often[name] if often[name] > 1 else ''}}}"
    return said


def _name(node: ast.expr) -> str:
    """Return the word by which the code knows what this is."""
    name = "value"
    match node:
        case ast.Name(id=own) | ast.Attribute(attr=own):
            name = own.strip("_").lower() or name
        case ast.Call(func=ast.Attribute(attr="join"), args=[joined]):
            name = _name(joined)
        case ast.Call(func=ast.Name(id="len" | "str" | "repr" | "sorted"), args=[counted]):
            name = _name(counted)
        case ast.Call(func=called):
            name = _name(called)
        case ast.GeneratorExp(generators=[each, *_]) | ast.ListComp(generators=[each, *_]):
            name = _name(each.iter)
        case ast.Subscript(value=inner) | ast.Await(value=inner) | ast.BinOp(left=inner):
            name = _name(inner)
    return name
