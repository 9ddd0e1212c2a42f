"""An OpenID provider on this machine, over TLS: discovery, authorization code with PKCE, signed ID tokens."""

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

CLIENT, SECRET = "the-hub", "client secret"


class Provider:
    """The provider: who is at the browser (`claims`), and what it is made to do wrong (`token`, `keys`)."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = ECKey.generate_key("P-256", {"kid": "1", "use": "sig"})
        self.claims: dict[str, Any] = {"sub": "1", "email": "ann@hub.example", "email_verified": True}
        self.changes: dict[str, Any] = {}
        self.header = {"alg": "ES256", "kid": "1"}
        self.signing: Any = self.key
        self.codes: dict[str, dict[str, str]] = {}

    def document(self, path: str) -> dict[str, Any]:
        """Return what is said to everybody."""
        if path.endswith("openid-configuration"):
            places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return {"issuer": self.issuer} | {name: f"{self.issuer}/{place}" for name, place in places.items()}
        return dict(KeySet([self.key]).as_dict(private=False))

    def authorized(self, asked: dict[str, str]) -> str:
        """Return where the browser is sent back to, with a code."""
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Return the tokens for a code, once, to the client that has its secret and the browser's verifier."""
        asked = self.codes.pop(form.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or authorization != expected or challenge != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        token = jwt.encode(self.header, claims | self.claims | self.changes, self.signing)
        return {"id_token": token, "access_token": "x", "token_type": "Bearer"}


@contextmanager
def serving_oidc(certificate: Path, key: Path) -> Iterator[Provider]:
    """Serve a provider at https://localhost:PORT with this certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            if path == "/authorize":
                self.send_response(303)
                self.send_header("Location", provider.authorized({k: v[0] for k, v in parse_qs(query).items()}))
                self.end_headers()
                return
            self._say(200, provider.document(path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            tokens = provider.token(form, self.headers.get("Authorization", ""))
            self._say(200 if tokens else 400, tokens or {"error": "invalid_grant"})

        def _say(self, status: int, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider = Provider(f"https://localhost:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
