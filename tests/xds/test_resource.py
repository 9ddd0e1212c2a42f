from google.protobuf import any_pb2, wrappers_pb2

from bothways.xds.resource import packed_resource


def test_the_version_is_that_of_the_content_alone() -> None:
    one, other = any_pb2.Any(), any_pb2.Any()
    one.Pack(wrappers_pb2.StringValue(value="one"))
    other.Pack(wrappers_pb2.StringValue(value="other"))
    assert packed_resource("a", one) == packed_resource("a", one)
    assert packed_resource("a", one).version == packed_resource("b", one).version
    assert packed_resource("a", one).version != packed_resource("a", other).version
