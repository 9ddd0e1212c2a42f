import httpx2
import pytest

from bothways.demo.echo import echo_service


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_answer_is_what_was_seen_of_the_request(method: str) -> None:
    with echo_service() as port:
        address = f"http://127.0.0.1:{port}/tokens/new?n=1"
        answer = httpx2.request(method, address, content=b"hello", headers={"Bothways-Customer": "1"}, trust_env=False)
    document = answer.json()
    assert answer.status_code == 200
    assert (document["method"], document["path"], document["body"]) == (method, "/tokens/new?n=1", "hello")
    assert document["headers"]["bothways-customer"] == "1"


def test_a_connection_serves_several_requests() -> None:
    with echo_service() as port, httpx2.Client(trust_env=False) as client:
        paths = [client.get(f"http://127.0.0.1:{port}/{number}").json()["path"] for number in range(3)]
    assert paths == ["/0", "/1", "/2"]


def test_afterwards_nobody_listens() -> None:
    with echo_service() as port:
        pass
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)
