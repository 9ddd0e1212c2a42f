"""Each shell block of the documentation is run as it is printed, or its fence says why not."""

import ast
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.shell_pages import ALIVE, DOCS, NOT_RUN, TUTORIALS, Block, blocks, follow_page, machine, shell
from tests.tls_postgresql import serving_postgresql

from bothways.contract.document import Environment, KeyType, Terms
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.demo.customer_ca import make_server_files
from bothways.manual.filling import DOMAIN, ENDPOINT, PORTAL, TSP_ID
from bothways.operations.certificates import certificate_chain, show_certificate
from bothways.operations.customers import add_customer
from bothways.operations.hub import contract, initialise, open_hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.settings import Settings, read_settings
from bothways.registry.customer import CustomerKind
from bothways.spoke.csr import make_request
from bothways.spoke.directory import init_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.preset import find_preset, settle

PAGES = sorted(each.stem for each in DOCS.glob("*.md"))
LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"
DATABASE, PLANES = "postgresql", "control-planes"
ON_THE_DESK = [each for each in PAGES if shell(each) and each not in (*TUTORIALS, *ALIVE, DATABASE, PLANES)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub that does not run, under the names of the pages, and a customer's spoke and server files in `bank`."""
    place = tmp_path_factory.mktemp("desk")
    initialise(place / "hub", Terms(Environment.PPR, DOMAIN, ENDPOINT, PORTAL), Settings(), "tester")
    with open_hub(place / "hub", "tester") as hub:
        add_customer(hub, TSP_ID, CustomerKind.ISSUER, "First Bank")
        (place / "contract.toml").write_text(render_contract(contract(hub)))
        spoke = init_spoke(place / "bank", str(place / "contract.toml"), TSP_ID)
        request = make_request(spoke, KeyType.ECDSA, Subject("FR", "Ile-de-France", "Paris", "First Bank", "Payments"))
        issued = approve_request(hub, submit_request(hub, TSP_ID, request.der).id)
        install_certificate(spoke, certificate_chain(hub, show_certificate(hub, issued.serial)).encode())
    make_server_files(place / "bank", "First Bank", "bank.example")
    (place / "elsewhere").mkdir()
    (place / "ssl").mkdir()
    return place


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", ON_THE_DESK)
def test_the_commands_of_a_page_work_as_they_are_printed(page: str, desk: Path, request: pytest.FixtureRequest) -> None:
    library = str(request.getfixturevalue("softhsm")) if page in {"signers", "token-keys"} else LIBRARY
    with machine(page) as here:
        shutil.copytree(desk, here.directory, dirs_exist_ok=True)
        follow_page(here, page, lambda text: text.replace(LIBRARY, library), set())


@pytest.mark.timeout(600)
def test_the_commands_for_postgresql_work_with_one_that_wants_tls_and_a_password(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [made] = [each.text for each in blocks(DATABASE) if each.language == "sql"]
    with serving_postgresql() as server, machine(DATABASE) as here:
        shutil.copytree(desk, here.directory, dirs_exist_ok=True)
        (here.directory / "made.sql").write_text(made)
        shutil.copy(server.ca, here.directory / "ssl" / "db-ca.pem")
        # So that libpq calls it at this address and port, under the name that the page has.
        monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
        monkeypatch.setenv("PGPORT", str(server.port))
        monkeypatch.setenv("SOCKETS", str(server.sockets))
        follow_page(here, DATABASE, str, set())


@pytest.mark.envoy
@pytest.mark.timeout(600)
def test_a_further_control_plane_is_made_as_its_page_says() -> None:
    terms = Terms(Environment.PPR, DOMAIN, ENDPOINT, PORTAL)
    with serving_postgresql() as server, machine(PLANES) as here:
        initialise(here.directory / "first", terms, replace(Settings(), database=server.database()), "tester")
        follow_page(here, PLANES, str, set())


def test_a_block_that_is_not_run_says_why() -> None:
    reasons = {
        each.said.removeprefix(NOT_RUN) for page in PAGES for each in blocks(page) if each.said.startswith(NOT_RUN)
    }
    assert reasons == {
        "it wants a hub that has a newer contract; tests/wire/test_contract.py runs it beside one",
        "tests/test_images.py builds so, and it takes minutes",
        "tests/operations/test_reconcile.py does so, and loses the tables in between",
        "tests/wire/test_snippets.py runs it beside a hub, and compares it with what is printed here",
    }


def test_every_block_says_what_it_is() -> None:
    """So that no command stands in one that is taken for something else."""
    # With one of them behind it, what opens a block does not (CommonMark 4.5): the site then shows the rest as it is.
    assert [(each.page, each.line) for page in PAGES for each in blocks(page) if "`" in each.said] == []
    assert [(each.page, each.line) for page in PAGES for each in blocks(page) if not each.language] == []
    hidden = [
        (each.page, each.line)
        for page in PAGES
        if page != "reference-cli"
        for each in blocks(page)
        if each.language in {"text", "bash", "console", "shell"}
        and each.text.lstrip("$ ").startswith(("bothways", "curl", "openssl"))
    ]
    assert hidden == []


@pytest.mark.parametrize(
    "page", sorted({each.page for name in PAGES for each in blocks(name) if each.language == "toml"})
)
def test_the_hub_takes_the_settings_that_a_page_shows(page: str, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "toml" and "[preset]" in block.text:
            (tmp_path / "example.toml").write_text(block.text)
            preset = find_preset(str(tmp_path / "example.toml"))
            assert preset is not None
            settled = settle(preset, {each.setting: each.suggestion for each in preset.unsure})
            assert init_spoke(tmp_path / "spoke", "", TSP_ID, settled=settled).contract.terms.endpoint == ENDPOINT
        elif block.language == "toml":
            (tmp_path / "hub.toml").write_text(block.text)
            read_settings(tmp_path)


@pytest.mark.parametrize(
    "block",
    [each for name in PAGES for each in blocks(name) if each.language == "python" and not name.startswith("howto-")],
    ids=lambda block: f"{block.page}:{block.line}",
)
def test_python_on_a_page_is_python_and_what_it_imports_is_there(block: Block) -> None:
    tree = ast.parse(block.text)
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module([*imports], []), block.page, "exec"), {})  # noqa: S102 - the project's own pages
