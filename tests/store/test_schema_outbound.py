from sqlalchemy import inspect

from bothways.store.database import Database
from bothways.store.schema_outbound import submitted_endpoint


def test_a_new_database_has_the_tables(database: Database) -> None:
    with database.read() as connection:
        columns = {each["name"] for each in inspect(connection).get_columns(submitted_endpoint.name)}
    assert columns == {each.name for each in submitted_endpoint.columns}
