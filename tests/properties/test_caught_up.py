"""Control planes that lag, nodes that change between them, in any order: no node is given what is older than it has."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bothways.dataplane.caught_up import has_all

PLANES, NODES = range(3), range(2)
one_plane, one_node = st.sampled_from(PLANES), st.sampled_from(NODES)


class Planes(RuleBasedStateMachine):
    """Changes are numbered. A control plane reads number and state, and publishes both later, or never.

    A node that comes is served when what is published has all that was committed when it came.
    """

    @initialize()
    def begin(self) -> None:
        self.committed = 0
        self.read = dict.fromkeys(PLANES, 0)
        self.published = dict.fromkeys(PLANES, 0)
        # To whom a node has a stream, and with which number in mind it waits there.
        self.stream: dict[int, int] = {}
        self.waits: dict[int, tuple[int, int]] = {}
        self.has = dict.fromkeys(NODES, 0)
        self.older = False

    @rule()
    def commit(self) -> None:
        self.committed += 1

    @rule(plane=one_plane)
    def look(self, plane: int) -> None:
        self.read[plane] = self.committed

    @rule(plane=one_plane)
    def publish(self, plane: int) -> None:
        self.published[plane] = self.read[plane]
        for node, at in self.stream.items():
            if at == plane:
                self.give(node, plane)

    @rule(node=one_node, plane=one_plane)
    def come(self, node: int, plane: int) -> None:
        self.stream.pop(node, None)
        self.waits[node] = plane, self.committed

    @rule(node=one_node)
    def judge(self, node: int) -> None:
        if node not in self.waits:
            return
        plane, wanted = self.waits[node]
        if has_all(self.published[plane], wanted):
            del self.waits[node]
            self.stream[node] = plane
            self.give(node, plane)

    def give(self, node: int, plane: int) -> None:
        self.older |= self.published[plane] < self.has[node]
        self.has[node] = self.published[plane]

    @invariant()
    def nobody_was_given_what_is_older(self) -> None:
        assert not self.older

    def teardown(self) -> None:
        """Whoever waits is served in the end, by each control plane that has caught up."""
        for plane in PLANES:
            self.look(plane)
            self.publish(plane)
        for node in NODES:
            self.judge(node)
        assert not self.waits


def test_no_node_is_given_what_is_older_than_it_has() -> None:
    run_state_machine_as_test(Planes, settings=settings(max_examples=50, stateful_step_count=25, deadline=None))
