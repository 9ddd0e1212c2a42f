# No test has a systemd: the units are judged in tests/test_deployment.py, and here that there is such a unit.
systemctl() {
    [[ "$1" =~ ^(start|stop|restart)$ && -e "$ROOT/docs/examples/$2.service" ]]
}
