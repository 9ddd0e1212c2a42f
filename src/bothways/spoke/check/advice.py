"""The causes of findings that a customer can meet, and the commands that mend them. One table; no I/O."""

from dataclasses import dataclass

from bothways.pki.alerts import ALERTS


@dataclass(frozen=True, slots=True)
class Advice:
    """Why it is so, mostly; and the command that mends it or shows more. `DIR` stands for the spoke's directory."""

    cause: str
    command: str


_RENEW = "bothways spoke renew --directory DIR"
_STATUS = "bothways spoke status --directory DIR"
_LISTEN = "bothways spoke listen --certificate FULLCHAIN.pem --key KEY.pem --directory DIR"
_INSTALL = "bothways spoke install CERT --directory DIR"
_CSR = "bothways spoke csr --country CC --state STATE --locality CITY --organization NAME --unit UNIT --directory DIR"
_ANSWER = "bothways spoke bundle export answer.zip --chain CHAIN.pem --endpoint URL --directory DIR"
_AGAIN = "bothways spoke check --directory DIR"
_ALERT_COMMANDS = {44: _CSR, 45: _CSR, 70: "openssl version", 112: _STATUS}
_LOOK = "openssl s_client -connect HOST:PORT -servername HOST -showcerts"


CAUSES: dict[str, Advice] = {
    "SPOKE-KEY": Advice("the key file is missing, damaged, encrypted, or open to others", "chmod 600 DIR/tls.key"),
    "SPOKE-FILE": Advice("the file was changed, cut off, or cannot be read by this user", _INSTALL),
    "SPOKE-TOKEN": Advice(
        "OpenSSL has no pkcs11-provider here, the token is away, or its PIN is another one", "openssl list -providers"
    ),
    "SPOKE-MISSING": Advice("no request was made yet", _CSR),
    "SPOKE-WAITING": Advice("the hub has not issued the certificate yet, or it was not installed", _INSTALL),
    "SPOKE-CHAIN": Advice("the certificates stand in another order, or one of another CA is among them", _STATUS),
    "SPOKE-PIN": Advice("a single certificate of the hub was put where its Client CA belongs (R15)", _STATUS),
    "SPOKE-EXPIRING": Advice("no renewal was made yet", _RENEW),
    "INSTALL-01": Advice("the file is damaged, or no certificate", _INSTALL),
    "INSTALL-02": Advice("key and certificate were taken from two different requests", _INSTALL),
    "INSTALL-03": Advice("the issuer is not in the file, or the hub has a new CA", _INSTALL),
    "INSTALL-04": Advice("it is the certificate of another customer, environment or hub", _INSTALL),
    "INSTALL-05": Advice("it is a server's certificate, and a client's is wanted", _INSTALL),
    "INSTALL-06": Advice("nothing renewed it in time", _CSR),
    "INSTALL-07": Advice("it was issued for later, or the clock of this machine is behind", "timedatectl status"),
    "INSTALL-08": Advice("a certificate that is no CA was put among the issuers", _INSTALL),
    "INSTALL-09": Advice("this hub publishes no CA, so a person has to compare it once", _INSTALL),
    "CHECK-FILE-01": Advice("the directory was made with another umask, or shared on purpose", "chmod go-w DIR"),
    "CHECK-CN-01": Advice("the certificate was issued for another identifier, key type or environment", _STATUS),
    "CHECK-CONTRACT-01": Advice(
        "the hub changed its terms or a CA since this spoke was made",
        "bothways spoke contract --from-hub --directory DIR",
    ),
    "CHECK-CLOCK-01": Advice("no time service runs on this machine", "timedatectl set-ntp true"),
    "CHECK-DNS-01": Advice("the resolver does not know the hub: an inside view, or a wrong contract", "dig HOST"),
    "CHECK-DNS-02": Advice("the resolver of this machine is away, or not allowed to ask outside", "resolvectl status"),
    "CHECK-DNS-03": Advice(
        "somebody wrote the hub's address down, and it will change (R10)", "grep -n HOST /etc/hosts"
    ),
    "CHECK-DNS-04": Advice("nscd keeps names for a time of its own, whatever the TTL", "nscd --invalidate=hosts"),
    "CHECK-DNS-05": Advice("a setting of this Java lets it keep addresses for ever", "bothways spoke config java"),
    "CHECK-DNS-06": Advice("this machine's lookup has another source than DNS (nsswitch.conf)", "getent ahosts HOST"),
    "CHECK-PROXY-01": Advice(
        "the environment names a proxy for https, and no exception for the hub", "printenv HTTPS_PROXY https_proxy"
    ),
    "CHECK-TCP-01": Advice("the port is closed, or a firewall refuses outgoing connections", "nc -vz HOST PORT"),
    "CHECK-TCP-02": Advice("a firewall drops outgoing connections without a word", "nc -vz HOST PORT"),
    "CHECK-HUB-01": Advice("a proxy or another server answers in the hub's place", _LOOK),
    "CHECK-HUB-02": Advice("something between opens TLS (inspection), or the hub has a new server CA", _LOOK),
    "CHECK-HUB-03": Advice("the address leads to another server", _LOOK),
    "CHECK-HUB-04": Advice("the clock of this machine is off, or the hub was not renewed", "date -u"),
    "CHECK-HUB-05": Advice("old TLS library, or a firewall that ends the handshake", "openssl version"),
    "CHECK-HUB-06": Advice("the hub or a firewall ended the connection without giving a reason", _AGAIN),
    "CHECK-HUB-07": Advice("something between opens TLS (inspection), or the hub sends no intermediate CA", _LOOK),
    "CHECK-ACCESS-01": Advice("the certificate is not on record any more, or the customer is suspended", _STATUS),
    "CHECK-ACCESS-02": Advice("the hub is in trouble, or another server answers", _AGAIN),
    "CHECK-ACCESS-03": Advice("this hub does not run our software, and keeps its state elsewhere", _STATUS),
    "CHECK-ACCESS-04": Advice("the certificate in this directory belongs to another spoke", _STATUS),
    "CHECK-FLOW-01": Advice("a step of the inbound flow is missing at the hub", _AGAIN),
    "CHECK-FLOW-02": Advice("a step of the outbound flow is missing at the hub", _ANSWER),
    "CHECK-FLOW-03": Advice("calls of the hub to this customer's server fail, or soon will", _AGAIN),
    "CHECK-SERVER-01": Advice("nobody named the server that the hub is to call", _LISTEN),
    "CHECK-SERVER-02": Advice("the hub endorsed no CA for the server", _ANSWER),
    "CHECK-SERVER-03": Advice("the server does not require a client certificate", "bothways spoke config nginx"),
    "CHECK-SERVER-04": Advice("the server looks at names, not at the CA's signature", "bothways spoke config nginx"),
    "CHECK-SERVER-05": Advice(
        "the server trusts the CA of customers, not the Client CA", "bothways spoke config nginx"
    ),
    "CHECK-SERVER-06": Advice("a firewall or a router lets nobody inside call the public address", _AGAIN),
    "CHECK-SERVER-07": Advice("the hub's Envoy or its signer is away", _AGAIN),
    "CHECK-ENVOY-01": Advice(
        "the hub, or the certificate in use, has something that one of two TLS libraries refuses", _LOOK
    ),
    "CHECK-ENVOY-02": Advice("the server, or its certificate, has something that Envoy's BoringSSL refuses", _LOOK),
    "PROBE-DNS-01": Advice("no record is published, or the endpoint is misspelt", "dig HOST"),
    "PROBE-DNS-02": Advice("the name servers of the domain fail", "dig +trace HOST"),
    "PROBE-DNS-03": Advice("the public DNS gives an address of the inside", "dig HOST @9.9.9.9"),
    "PROBE-DNS-04": Advice("the record has a very short TTL", "dig HOST"),
    "PROBE-TCP-01": Advice("nothing listens there", _LISTEN),
    "PROBE-TCP-02": Advice("a firewall drops connections, mostly by an allow-list", "nc -vz HOST PORT"),
    "PROBE-TLS-01": Advice("the server speaks nothing newer than TLS 1.1", "bothways spoke config nginx"),
    "PROBE-TLS-02": Advice("the server still speaks old TLS as well", "bothways spoke config nginx"),
    "PROBE-TLS-03": Advice("the port is one without TLS", _LISTEN),
    "PROBE-TLS-04": Advice("something takes connections and does not answer", _LOOK),
    "PROBE-TLS-05": Advice("no common cipher suite, or the server does not know its host name", _LOOK),
    "PROBE-CHAIN-01": Advice("the server does not send its intermediate", _LOOK),
    "PROBE-CHAIN-02": Advice("the server has a certificate of a CA that is not endorsed", _LOOK),
    "PROBE-CHAIN-03": Advice("the server does not send its intermediate, and the endorsed chain hides it", _LOOK),
    "PROBE-CHAIN-04": Advice("the file of the server has the certificates in another order", _LOOK),
    "PROBE-CHAIN-06": Advice("a CA of the server may not vouch for it, by its own extensions", _LOOK),
    "PROBE-CHAIN-05": Advice("the server has no certificate that can be read", _LOOK),
    "PROBE-CALL-01": Advice("the hub's own call failed, for the reason that the other findings tell", _AGAIN),
    "PROBE-CALL-02": Advice("one of the hub's remote nodes does not reach the server, and others do", _AGAIN),
    "PROBE-NEXT-01": Advice("the server does not take the certificate that the hub is to use next", _LISTEN),
    "PROBE-PIN-01": Advice("the server trusts one certificate of the hub, not its CA (R15)", _LISTEN),
    "PROBE-CLIENT-01": Advice("the server does not trust the Client CA", "bothways spoke config nginx"),
    "PROBE-CLIENT-02": Advice("the server does not require a client certificate", "bothways spoke config nginx"),
    "PROBE-CLIENT-03": Advice("the server looks at names, not at the CA's signature", "bothways spoke config nginx"),
    "PROBE-CLIENT-04": Advice("the server looks at no dates", "bothways spoke config nginx"),
    "PROBE-CLIENT-05": Advice("the server's answers do not tell who is let in", _AGAIN),
} | {
    f"CHECK-ALERT-{each.number}": Advice(f"{each.name}: {each.sentence}", _ALERT_COMMANDS.get(each.number, _STATUS))
    for each in ALERTS
}
"""Findings by id. What it says stands in docs/check.md as well, for those that are the spoke's own."""

_FAMILIES = {
    "PROBE-NAME": Advice("the server's certificate is for another name", _LOOK),
    "PROBE-DATE": Advice("the server's certificate, or one above it, was not renewed", _LOOK),
    "PROBE-KEY": Advice("the server's certificate has a key or a digest that is not taken", _LOOK),
    "PROBE": Advice("the hub's probe of the server says so", _LOOK),
    "INBOUND": Advice("an earlier call of this customer failed at the hub, which tells why", _STATUS),
    "CHECK-ALERT": Advice("the hub ended the handshake with a rare alert", _STATUS),
}


def advice(id: str) -> Advice:  # noqa: A002 - as in Finding
    """Return cause and command for a finding. What a newer hub says, and this table does not know, is its own cause."""
    family = next((found for prefix, found in _FAMILIES.items() if id.startswith(f"{prefix}-")), None)
    return CAUSES.get(id) or family or Advice("the hub says so", _AGAIN)


def link(id: str) -> str:  # noqa: A002 - as in Finding
    """Return where the documentation says more about a finding."""
    page = {"PROBE": "probe.md", "INBOUND": "findings.md", "CSR": "findings.md"}.get(id.partition("-")[0], "check.md")
    return f"docs/{page}#{id.lower()}" if page == "check.md" else f"docs/{page}"
