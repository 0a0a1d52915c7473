"""The only file that knows onnxruntime: the bytes of a network in, a function on arrays out.

One session is one network in one thread's hands. It takes memory for its largest input once and
keeps it: 40 to 75 MB for the two networks of `clp`, by the sizes of the pictures.
"""

import os
from collections.abc import Callable
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from gatekeeper.errors import NetworkSetError

# From 1.32 on, onnxruntime tells its makers about each use, from its import on, unless it is told
# not to. A gate talks only to its centre.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as faults

Floats: TypeAlias = npt.NDArray[np.float32]

Network: TypeAlias = Callable[[Floats], list[Floats]]
"""A batch of one in; the network's outputs, in its own order, out."""

_ERRORS_ONLY = 3
onnxruntime.set_default_logger_severity(_ERRORS_ONLY)  # for sessions that hyperlpr3 opens, too


Shape: TypeAlias = tuple[int | None, ...]
"""Of an array; None is any length."""


_FAULTS = (
    faults.Fail,
    faults.InvalidArgument,
    faults.InvalidGraph,
    faults.InvalidProtobuf,
    faults.NotImplemented,
    faults.RuntimeException,
)
"""What onnxruntime raises for a network that is none, or a batch that does not fit it."""


def open_session(data: bytes, name: str, threads: int) -> onnxruntime.InferenceSession:
    """The network in `data`; raises `NetworkSetError` when it is none, or takes several inputs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Plans of memory are kept for each input shape: the arena alone is smaller (12 to 18 MB) and
    # no slower. Without an arena each run maps its memory again: 1 ms more a frame.
    options.enable_mem_pattern = False
    # An idle gate must not spin: it would cost a core to save microseconds.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _FAULTS as error:
        raise NetworkSetError(f"{name}: is no network that onnxruntime can load") from error
    if len(session.get_inputs()) != 1:
        raise NetworkSetError(f"{name}: takes {len(session.get_inputs())} inputs, not one")
    return session


def open_network(data: bytes, name: str, threads: int) -> Network:
    """The network in `data`, as a function; raises `NetworkSetError` when it is none."""
    return as_function(open_session(data, name, threads), name)


def as_function(session: onnxruntime.InferenceSession, name: str) -> Network:
    """A session that is open, as a function; it raises `NetworkSetError` for a batch that does not
    fit.
    """
    (given,) = session.get_inputs()

    def run(batch: Floats) -> list[Floats]:
        try:
            return cast("list[Floats]", session.run(None, {given.name: batch}))
        except _FAULTS as error:
            raise NetworkSetError(
                f"{name}: does not take an input of the shape {batch.shape}"
            ) from error

    return run


def check_shapes(network: Network, name: str, given: tuple[int, ...], *wanted: Shape) -> None:
    """Raises `NetworkSetError` unless zeros of the shape `given` come out as `wanted`."""
    told = [output.shape for output in network(np.zeros(given, np.float32))]
    if len(told) != len(wanted) or not all(map(_fits, told, wanted)):
        listed = ", ".join(str(shape).replace("None", "any") for shape in wanted)
        raise NetworkSetError(
            f"{name}: gives {', '.join(map(str, told))} for {given}, not {listed} by contract"
        )


def _fits(told: tuple[int, ...], wanted: Shape) -> bool:
    return len(told) == len(wanted) and all(
        size in (None, length) for length, size in zip(told, wanted, strict=True)
    )
