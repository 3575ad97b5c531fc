"""The one kernel a report runs on: this interpreter's own."""

import sys
from pathlib import Path
from weakref import WeakSet

import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

KERNEL_ARGUMENTS = ["--IPKernelApp.outstream_class=ae_lab.report.execute.streams.WholeStream"]


_managers: WeakSet = WeakSet()


class OwnKernelManager(AsyncKernelManager):
    """Starts ``sys.executable``'s ipykernel, whatever other kernels are installed."""

    def __init__(self, **options):
        super().__init__(**options)
        _managers.add(self)

    @default("kernel_spec_manager")
    def _own_kernel_only(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)

    def client(self, **options):
        """A client that drops no message, however many wait to be read."""
        client = super().client(**options)
        client.context.setsockopt(zmq.RCVHWM, 0)
        return client


def connection_options(connection: Path) -> dict[str, str]:
    """Settings of a manager whose kernel and client find each other by a connection file.

    A TCP port that was free when the manager looked may be another program's when the kernel binds
    it: the kernel dies, or talks to nobody. Linux has names that no one else can take, and that are
    gone when the kernel is; elsewhere a port must do.
    """
    options = {"connection_file": str(connection)}
    if sys.platform == "linux":
        name = connection.stem[-80:]  # the system allows about a hundred letters
        options |= {"transport": "ipc", "ip": f"@ae_lab-{name}"}
    return options


def stop_kernels() -> None:
    """Kill the kernels that still run; whoever waits for one of them sees it dead."""
    for manager in list(_managers):
        process = getattr(manager.provisioner, "process", None)
        if process:
            process.kill()
