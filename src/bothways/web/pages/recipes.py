"""How an issued certificate is installed, for the stacks that people have: commands and code, ready to paste."""

from dataclasses import dataclass

from bothways.contract.document import Terms


@dataclass(frozen=True, slots=True)
class Recipe:
    """Commands or a configuration for one stack."""

    name: str
    text: str


def first_call(terms: Terms) -> str:
    """Return the command that proves the inbound flow."""
    return f"curl --cert tls.crt --key tls.key --cacert server-ca.crt {terms.endpoint}/connectivity"


def recipes(terms: Terms) -> tuple[Recipe, ...]:
    """Return what to do on each stack, for this hub and environment."""
    host = terms.endpoint.removeprefix("https://")
    name = host.partition(":")[0]
    return (
        Recipe(
            "bothways", "bothways spoke install tls.crt\nbothways spoke check\nbothways spoke call GET /connectivity"
        ),
        Recipe("curl", first_call(terms)),
        Recipe("Python", _PYTHON.format(endpoint=terms.endpoint)),
        Recipe("Java", _JAVA.format(endpoint=terms.endpoint)),
        Recipe(".NET", _DOTNET.format(endpoint=terms.endpoint)),
        Recipe("Node.js", _NODE.format(endpoint=terms.endpoint)),
        Recipe("Go", _GO.format(endpoint=terms.endpoint)),
        Recipe("nginx", _NGINX.format(endpoint=terms.endpoint, name=name)),
    )


_PYTHON = """import ssl, urllib.request

context = ssl.create_default_context(cafile="server-ca.crt")
context.load_cert_chain("tls.crt", "tls.key")
print(urllib.request.urlopen("{endpoint}/connectivity", context=context).read())"""

_JAVA = """openssl pkcs12 -export -in tls.crt -inkey tls.key -out client.p12 -name client
keytool -importcert -noprompt -alias hub -file server-ca.crt -keystore hub.p12 -storetype PKCS12

java -Djavax.net.ssl.keyStore=client.p12 -Djavax.net.ssl.keyStorePassword=... \\
     -Djavax.net.ssl.trustStore=hub.p12 -Djavax.net.ssl.trustStorePassword=... \\
     -Dnetworkaddress.cache.ttl=30 -jar app.jar     # calls {endpoint}"""

_DOTNET = """var handler = new SocketsHttpHandler {{ PooledConnectionLifetime = TimeSpan.FromMinutes(1) }};
handler.SslOptions.ClientCertificates = new() {{ X509Certificate2.CreateFromPemFile("tls.crt", "tls.key") }};
var answer = await new HttpClient(handler).GetStringAsync("{endpoint}/connectivity");
// The server CA goes into the machine's trusted roots: server-ca.crt"""

_NODE = """const {{ Agent, get }} = require("node:https"), {{ readFileSync }} = require("node:fs");
const [cert, key, ca] = ["tls.crt", "tls.key", "server-ca.crt"].map((name) => readFileSync(name));
const agent = new Agent({{ cert, key, ca }});
get("{endpoint}/connectivity", {{ agent }}, (answer) => answer.pipe(process.stdout));"""

_GO = """pair, _ := tls.LoadX509KeyPair("tls.crt", "tls.key")
pem, _ := os.ReadFile("server-ca.crt")
roots := x509.NewCertPool()
roots.AppendCertsFromPEM(pem)
transport := &http.Transport{{TLSClientConfig: &tls.Config{{Certificates: []tls.Certificate{{pair}}, RootCAs: roots}}}}
answer, err := (&http.Client{{Transport: transport}}).Get("{endpoint}/connectivity")"""

_NGINX = """location /hub/ {{
    resolver 127.0.0.53 valid=30s;     # the hub's addresses change: never keep one longer than its TTL
    set $hub {endpoint};
    proxy_pass $hub;
    proxy_ssl_server_name on;
    proxy_ssl_name {name};
    proxy_ssl_certificate tls.crt;
    proxy_ssl_certificate_key tls.key;
    proxy_ssl_trusted_certificate server-ca.crt;
    proxy_ssl_verify on;
}}"""
