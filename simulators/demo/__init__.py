"""`gatekeeper demo`: a day at the gate, played by the real daemon against simulated hardware.

`stage` starts and ends the programs, `site` writes their configuration, `play` is what happens,
`tell` prints it, `cast` finds cars among photographs.
"""

from simulators.demo.command import demo

__all__ = ["demo"]
