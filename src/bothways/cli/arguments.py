"""What the arguments mean that many commands take. Those of one command alone stand with it."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bothways.cli.output import RowNumber
from bothways.contract.document import KeyType

TspId = Annotated[str, Parameter(help="The customer's identifier (tspId), like 12345678.")]
OfCustomer = Annotated[str | None, Parameter(help="Only those of the customer with this tspId.")]
RequestNumber = Annotated[RowNumber, Parameter(help="The request's number, as `bothways request list` shows it.")]
ChainNumber = Annotated[int, Parameter(help="The chain's number, as `bothways chain list` shows it.")]
ReviewNumber = Annotated[RowNumber, Parameter(help="The number of what waits, as `bothways endpoint list` shows it.")]
PersonNumber = Annotated[RowNumber, Parameter(help="The person's number, as `bothways person list` shows it.")]
TokenNumber = Annotated[RowNumber, Parameter(help="The token's number, as `bothways token list` shows it.")]
ContactNumber = Annotated[int, Parameter(help="The contact's number, as the list of contacts shows it.")]
AuthorityNumber = Annotated[int, Parameter(help="The CA's number, as `bothways hub authority list` shows it.")]
Serial = Annotated[str, Parameter(help="The certificate's serial number, as `bothways certificate list` shows it.")]
BaseUrl = Annotated[str, Parameter(help="The base URL of the customer's server, like https://bank.example:8443.")]
ServiceName = Annotated[str, Parameter(help="The service's name, as `bothways service list` shows it.")]
Key = Annotated[KeyType, Parameter(help="The kind of the key: ecdsa is P-256, rsa has 4096 bits.")]

_PORT = Number(gte=1, lte=65535)
InboundPort = Annotated[int, Parameter(help="The port for customers.", validator=_PORT)]
PortalPort = Annotated[int, Parameter(help="The port of the portal and the API.", validator=_PORT)]
EgressPort = Annotated[int, Parameter(help="The port for services that call customers.", validator=_PORT)]

RequestFile = Annotated[Path, Parameter(help="The CSR, in PEM or DER.")]
ChainFile = Annotated[Path, Parameter(help="The CAs that vouch for the customer's server, in PEM.")]
CertificateFile = Annotated[Path, Parameter(help="The certificate that the customer's CA issued, in PEM.")]
BundleFile = Annotated[Path, Parameter(help="The bundle (zip).")]
BackupFile = Annotated[Path, Parameter(help="The file of the backup.")]
HeadFile = Annotated[Path, Parameter(help="The file to write; `bothways audit verify --head` takes it.")]
