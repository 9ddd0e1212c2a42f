from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bothways.contract.document import KeyType
from bothways.contract.subject import Subject
from bothways.spoke.check.local import local_steps
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke


def ids(spoke: Spoke, days: int = 0) -> list[str]:
    now = datetime.now(UTC) + timedelta(days=days)
    return [each.id for step in local_steps(spoke, now) for each in step.findings]


def test_a_spoke_with_its_certificate_lacks_nothing(ready_spoke: Spoke) -> None:
    assert ids(ready_spoke) == []


def test_what_is_missing_is_told_by_how_far_one_is(spoke: Spoke, subject: Subject) -> None:
    assert ids(spoke) == ["SPOKE-MISSING"]
    make_request(spoke, KeyType.ECDSA, subject)
    assert ids(spoke) == ["SPOKE-WAITING"]


def test_dates_and_modes_are_looked_at(ready_spoke: Spoke) -> None:
    assert ids(ready_spoke, days=380) == ["SPOKE-EXPIRING"]
    assert ids(ready_spoke, days=400) == ["INSTALL-06"]
    ready_spoke.key_file.resolve().chmod(0o640)
    ready_spoke.directory.chmod(0o770)
    assert ids(ready_spoke) == ["CHECK-FILE-01", "SPOKE-KEY"]


def test_the_certificate_of_another_customer_is_seen_by_its_name_too(ready_spoke: Spoke) -> None:
    assert ids(replace(ready_spoke, tsp_id="99")) == ["INSTALL-04", "CHECK-CN-01"]


def test_a_key_of_another_pair_is_found(ready_spoke: Spoke, certified: Callable[[Spoke], bytes]) -> None:
    certified(ready_spoke)
    ready_spoke.key_file.unlink()
    ready_spoke.key_file.symlink_to("renewal/tls.key")
    assert ids(ready_spoke) == ["INSTALL-02"]
