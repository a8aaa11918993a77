"""What the commands say of a Kafka that does not answer."""

import pytest

from worker.stream.tools.configuration import plain


@pytest.mark.parametrize(
    "said",
    [
        "Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)",
        "localhost:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused "
        "(after 0ms in state CONNECT, 1 identical error(s) suppressed)",
    ],
)
def test_librdkafkas_own_bookkeeping_is_left_out(said: str) -> None:
    """Its connections' names, states and counts of equal errors are none of the user's."""
    assert plain(said) == "Connect to ipv4#127.0.0.1:1 failed: Connection refused"
