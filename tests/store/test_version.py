from contextlib import closing
from pathlib import Path

import pytest
from tests.postgresql import new_schema

from bothways.errors import Unusable
from bothways.store import version
from bothways.store.database import Place, create, open_existing, open_older


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, path: Path) -> Place:
    return path if request.param == "sqlite" else new_schema()


@pytest.mark.parametrize(
    ("statement", "said", "older"),
    [
        ("UPDATE schema_version SET version_num = '0'", "has the schema 0, wanted .*bothways hub migrate", True),
        ("UPDATE schema_version SET version_num = '99'", "has the schema 99, .*a newer one migrated it", False),
        ("UPDATE schema_version SET version_num = 'x'", "does not say which schema it has", False),
        ("DELETE FROM schema_version", "does not say which schema it has", False),
        ("DROP TABLE schema_version", "before the first release. Use the bothways that made it", False),
        ("DROP TABLE hub", "holds no hub", False),
    ],
)
def test_another_schema_is_refused_with_what_was_found_and_what_to_do(
    place: Place, statement: str, said: str, *, older: bool
) -> None:
    with closing(create(place, "PPR")) as database, database.read() as connection:
        assert version.found(connection, place) == version.VERSION
        version.require_present(connection, place)
    with closing(open_existing(place, "PPR")) as database, database._base.begin() as connection:
        connection.exec_driver_sql(statement)
    with pytest.raises(Unusable, match=said):
        open_existing(place, "PPR")
    if older:
        open_older(place, "PPR").close()
    else:
        with pytest.raises(Unusable, match=said):
            open_older(place, "PPR")
