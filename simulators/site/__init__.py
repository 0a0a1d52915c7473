"""A whole site from one seed: what stands at its gates, who comes, and what breaks.

`plan` draws traffic and faults, `layout` is what the site consists of, `program` a child process,
`stage` starts all of them and writes the controller's configuration, `play` lets it happen.
"""

from simulators.site.layout import Lane, Layout
from simulators.site.program import News, Program, ProgramError, Simulator
from simulators.site.stage import Stage, staged

__all__ = [
    "Lane",
    "Layout",
    "News",
    "Program",
    "ProgramError",
    "Simulator",
    "Stage",
    "staged",
]
