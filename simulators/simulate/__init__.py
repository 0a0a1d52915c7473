"""`gatekeeper simulate`: the rules on trial, in a world that knows nothing of them.

`gates` puts the two real controllers (`simulators.virtual`) into the simulated world, `ledger`
compares what their journals say with what really happened, `run` does so for many sites at once,
`report` and `plots` tell of it.
"""

from simulators.simulate.command import simulate

__all__ = ["simulate"]
