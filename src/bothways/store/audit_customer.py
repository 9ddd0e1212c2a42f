"""Of which customer a line of the audit is: its detail names it, or its subject is it. Both can be looked up by index.

The text of a detail is what `audit` writes, its names in order; in it a quotation mark stands alone only around a name
or a text, so that no reason of a person passes for a customer.
"""

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_NAMED = """substring({} from '"customer": "([^"]*)"')"""

NAMED_BY_SUBJECT = frozenset(
    {
        "bundle.export",
        "bundle.import",
        "contract.take",
        "customer.add",
        "customer.remove",
        "customer.resume",
        "customer.suspend",
        "endpoint.approve",
        "endpoint.path",
        "endpoint.remove",
        "endpoint.set",
        "enrolment.password",
        "outbound.csr",
        "outbound.install",
        "outbound.remove",
        "probe",
        "rotate.hold",
        "rotate.release",
    }
)
"""The actions whose subject is the tspId."""


class customer_named(FunctionElement[str]):  # noqa: N801 - it is called as functions of SQL are
    """The customer that a detail names, or NULL."""

    type = String()
    inherit_cache = True


class _Or(FunctionElement[str]):
    type = String()
    inherit_cache = True


def customer_or_subject(detail: ColumnElement[str], subject: ColumnElement[str]) -> ColumnElement[str]:
    """Return the customer that a detail names, or else the subject: an expression that has an index."""
    return _Or(detail, subject)


@compiles(customer_named)
def _named(element: customer_named, compiler: SQLCompiler, **more: Any) -> str:
    return _named_in(compiler, compiler.process(element.clauses, **more))


@compiles(_Or)
def _or(element: _Or, compiler: SQLCompiler, **more: Any) -> str:
    detail, subject = (compiler.process(each, **more) for each in element.clauses)
    return f"coalesce({_named_in(compiler, detail)}, {subject})"


def _named_in(compiler: SQLCompiler, detail: str) -> str:
    # Written out and not as parameters: the expression of the index and that of the question have to be the same.
    postgresql = compiler.dialect.name == "postgresql"
    return _NAMED.format(detail) if postgresql else f"json_extract({detail}, '$.customer')"
