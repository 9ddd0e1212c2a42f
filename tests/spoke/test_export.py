import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from tests.kubernetes import judge
from tests.programs import found, require

from bothways import files
from bothways.errors import Unusable
from bothways.spoke.directory import Spoke, open_spoke
from bothways.spoke.export import keystore_recipe, kubernetes_secret, pkcs12_file

PASSWORD = "correct horse: battery, staple"  # noqa: S105 - of a test


def tool(name: str) -> str:
    require(name)
    return str(found(name))


@pytest.mark.parametrize("legacy", [False, True])
def test_openssl_reads_it_and_finds_the_pair_and_its_issuer(ready_spoke: Spoke, tmp_path: Path, legacy: bool) -> None:  # noqa: FBT001
    path = tmp_path / "tls.p12"
    path.write_bytes(pkcs12_file(ready_spoke, PASSWORD, legacy=legacy))
    command = [tool("openssl"), "pkcs12", "-in", str(path), "-passin", f"pass:{PASSWORD}", "-info", "-nodes"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert ("pbeWithSHA1And3-KeyTripleDES-CBC" if legacy else "PBES2, PBKDF2, AES-256-CBC") in done.stderr
    assert done.stdout.count("-----BEGIN CERTIFICATE-----") == ready_spoke.certificate_file.read_text().count("BEGIN")
    key = load_pem_private_key(done.stdout.encode(), None)
    own = load_pem_private_key(ready_spoke.key_file.read_bytes(), None)
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert key.private_bytes(*form) == own.private_bytes(*form)
    wrong = subprocess.run([*command[:5], "pass:wrong", "-noout"], capture_output=True, check=False, timeout=30)
    assert wrong.returncode != 0


@pytest.mark.parametrize("legacy", [False, True])
def test_keytool_reads_it(ready_spoke: Spoke, tmp_path: Path, legacy: bool) -> None:  # noqa: FBT001
    path = tmp_path / "tls.p12"
    path.write_bytes(pkcs12_file(ready_spoke, PASSWORD, legacy=legacy))
    command = [tool("keytool"), "-list", "-v", "-keystore", str(path), "-storetype", "PKCS12", "-storepass", PASSWORD]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "PrivateKeyEntry" in done.stdout
    assert "Certificate chain length: 2" in done.stdout


def test_a_pair_that_is_none_and_an_empty_password_are_said(ready_spoke: Spoke) -> None:
    with pytest.raises(Unusable, match="password is empty"):
        pkcs12_file(ready_spoke, "")
    files.replace(ready_spoke.certificate_file, (ready_spoke.directory / "ca.crt").read_bytes())
    with pytest.raises(Unusable, match="is not for the key"):
        pkcs12_file(ready_spoke, PASSWORD)


def test_the_secret_is_of_the_type_that_others_know_and_mounted_is_a_spoke(ready_spoke: Spoke, tmp_path: Path) -> None:
    document = yaml.safe_load(kubernetes_secret(ready_spoke, "bank-prd", "payments"))
    assert (document["kind"], document["type"]) == ("Secret", "kubernetes.io/tls")
    assert document["metadata"] == {"name": "bank-prd", "namespace": "payments"}
    assert {"tls.crt", "tls.key", "ca.crt"} < set(document["data"])
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    for name, content in document["data"].items():
        (mounted / name).write_bytes(b64decode(content))
    again = open_spoke(mounted)
    assert (again.tsp_id, again.contract) == (ready_spoke.tsp_id, ready_spoke.contract)
    assert again.key_file.read_bytes() == ready_spoke.key_file.read_bytes()


def test_the_schemas_of_kubernetes_have_nothing_against_the_secret(ready_spoke: Spoke) -> None:
    judge(yaml.safe_load(kubernetes_secret(ready_spoke, "bank-prd", "payments")))


@pytest.mark.parametrize("name", ["", "Bank", "-a", "a" * 64, 'a"b', "a\nb"])
def test_what_kubernetes_would_not_take_as_a_name_is_said(ready_spoke: Spoke, name: str) -> None:
    with pytest.raises(Unusable, match="no name in Kubernetes"):
        kubernetes_secret(ready_spoke, name or "-")


@pytest.mark.soak
def test_the_keystore_recipe_makes_stores_that_java_reads(ready_spoke: Spoke) -> None:
    keytool = tool("keytool")
    recipe = keystore_recipe(ready_spoke).replace("bothways spoke", f"{sys.executable} -m bothways spoke")
    for _ in range(2):
        # Twice, for that is what a renewal is.
        subprocess.run(["sh", "-ec", recipe], check=True, timeout=120, capture_output=True)
    place = ready_spoke.directory
    for store, kind, count in (("tls.jks", "PrivateKeyEntry", 1), ("trust.jks", "trustedCertEntry", 2)):
        command = [keytool, "-list", "-keystore", str(place / store), "-storepass:file", str(place / "p12.password")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.count(kind) == count
        assert (place / store).stat().st_mode & 0o077 == 0
