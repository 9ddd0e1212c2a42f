import subprocess
from pathlib import Path

from tests.programs import require

from bothways.spoke.units import renewal_units, unit_commands


def test_the_units_are_for_one_directory_and_one_command(tmp_path: Path) -> None:
    units = renewal_units(tmp_path / "bank", "/usr/bin/bothways", "systemctl reload nginx")
    assert list(units) == ["bothways-renew-bank.service", "bothways-renew-bank.timer"]
    service = units["bothways-renew-bank.service"]
    assert (
        f'ExecStart=/usr/bin/bothways spoke renew --directory {tmp_path}/bank --hook "systemctl reload nginx"'
        in service
    )
    assert "RandomizedDelaySec=1h" in units["bothways-renew-bank.timer"]


def test_what_means_something_in_a_unit_is_quoted(tmp_path: Path) -> None:
    [service, _] = renewal_units(tmp_path / "50% off", "/usr/bin/bothways", 'echo "$HOME"').values()
    assert '/50%% off"' in service
    assert '--hook "echo \\"$$HOME\\""' in service


def test_systemd_takes_the_units_as_they_are(tmp_path: Path) -> None:
    require("systemd-analyze")
    for name, text in renewal_units(tmp_path / "my bank", "/bin/true", "systemctl reload nginx").items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(each) for each in tmp_path.glob("bothways-renew-*"))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "bothways-renew" not in done.stderr, done.stderr


def test_the_commands_put_both_in_place(tmp_path: Path) -> None:
    require("bash")
    text = unit_commands(renewal_units(tmp_path / "bank", "/usr/bin/bothways"))
    place = tmp_path / "place"
    place.mkdir()
    script = text.replace("sudo tee /etc/systemd/system", f"tee {place}").rpartition("\nsudo systemctl")[0]
    subprocess.run(["bash", "-ec", script], check=True, capture_output=True, timeout=30)
    assert sorted(each.name for each in place.iterdir()) == ["bothways-renew-bank.service", "bothways-renew-bank.timer"]
    assert text.endswith("systemctl enable --now bothways-renew-bank.timer")
