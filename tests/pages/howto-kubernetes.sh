# No test has a cluster: tests/kubectl.py does what these few commands come down to.
kubectl() {
    PYTHONPATH="$ROOT:${PYTHONPATH:-}" python3 -m tests.kubectl "$@"
}
