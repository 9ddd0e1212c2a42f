"""`GET /connectivity`, the first call of every customer: who you are to us, and what your flows still lack.

Served on a unix socket that only Envoy can reach, so that the identity headers are Envoy's.
"""

from typing import Annotated, Any

from fastapi import FastAPI, Header

from bothways.operations.certificates import certificate_seen
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub
from bothways.web import problem


def connectivity_app(hub: Hub) -> FastAPI:
    """Return the application; a call that reaches it proves the inbound flow of the calling customer (R2)."""
    app = FastAPI(title="Bothways connectivity", openapi_url=None, docs_url=None, redoc_url=None)
    problem.install(app)

    @app.get("/connectivity")
    def connectivity(
        bothways_customer: Annotated[str, Header()], bothways_certificate: Annotated[str, Header()]
    ) -> dict[str, Any]:
        certificate = certificate_seen(hub, bothways_certificate)
        view = show_customer(hub, bothways_customer)
        return {
            "customer": view.customer.tsp_id,
            "environment": hub.environment.value,
            "certificate": {
                "serial": certificate.serial,
                "fingerprint": bothways_certificate,
                "not_after": certificate.not_after.isoformat(),
            },
            "inbound": view.assessment.inbound.document(),
            "outbound": view.assessment.outbound.document(),
        }

    return app
